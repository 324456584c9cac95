/** The title of the document: how far a run is, then what is shown. */

let page = '';
let percent: number | null = null;

function write(): void {
  const name = page === '' ? 'Holdfast' : `${page} · Holdfast`;
  document.title = percent === null ? name : `${percent} % · ${name}`;
}

export function titlePage(title: string): void {
  page = title;
  write();
}

/** Whole percent of the run that is under way; null: none is, or nobody knows how much there is. */
export function titleProgress(done: number | null): void {
  percent = done;
  write();
}
