/** How the recovery kit looks: two pages of A4, in ink, also on a screen. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as content or quoted attribute of HTML. Characters that nobody sees, or that turn the order of others, are shown by number. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
    .replace(
      /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu,
      (c) => `[U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
}

export const KIT_STYLE = `
@page { size: A4; margin: 17mm 19mm 16mm; }
:root { --ink: #17212b; --soft: #5b6873; --line: #c9d0d6; --deep: #0f4c52; --tint: #f2f6f6; }
* { box-sizing: border-box; }
html { background: #e6eaec; }
body { margin: 0; color: var(--ink); font: 10.4pt/1.5 "Segoe UI", "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
main { max-width: 210mm; margin: 8mm auto; padding: 17mm 19mm 16mm; background: #fff; box-shadow: 0 1mm 6mm rgb(15 35 45 / 14%); }
p { margin: 0 0 2.4mm; }
h1, h2, .brand { font-family: Charter, "Iowan Old Style", Georgia, "Noto Serif", "Liberation Serif", serif; }
.brand { margin: 0; color: var(--deep); font-size: 11pt; font-weight: 700; letter-spacing: .02em; }
h1 { margin: 0 0 1.5mm; font-size: 30pt; line-height: 1.12; font-weight: 700; letter-spacing: -.012em; }
h2 { margin: 0 0 2.6mm; font-size: 14pt; line-height: 1.25; font-weight: 700; break-after: avoid; }
header { margin-bottom: 7mm; padding-bottom: 4mm; border-bottom: .6mm solid var(--deep); }
.lead { margin: 0; max-width: 130mm; font-size: 11.6pt; color: var(--soft); }
.lead strong { color: var(--ink); overflow-wrap: anywhere; }
section { margin-bottom: 5.6mm; break-inside: avoid; }
code { font: .93em/1.45 "SFMono-Regular", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; unicode-bidi: isolate; }
code.fine { font-size: .78em; color: var(--soft); }
dl { margin: 0; }
dl > div { display: grid; grid-template-columns: 34mm 1fr; gap: 3mm; padding: 1.4mm 0; border-top: .2mm solid var(--line); break-inside: avoid; }
dl > div:last-child { border-bottom: .2mm solid var(--line); }
dt { color: var(--soft); overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; }
.write dd { padding-top: 6.5mm; font-size: 7.6pt; line-height: 1.2; color: #8b97a1; }
.write dt { padding-top: 1mm; }
.key { padding: 5.5mm 6.5mm 3.6mm; border: .5mm solid var(--deep); border-radius: 2.5mm; background: var(--tint); }
.key h2 { color: var(--deep); }
.key p { font-size: 9.6pt; color: var(--soft); }
.words { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2.6mm 7mm; margin: 0 0 4mm; padding: 0; list-style: none; counter-reset: word; }
.words li { display: flex; align-items: baseline; gap: 2.5mm; padding-bottom: .8mm; border-bottom: .25mm solid #a9bfc1; font: 600 19pt/1.3 "SFMono-Regular", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; counter-increment: word; break-inside: avoid; }
.words li::before { content: counter(word); min-width: 5mm; text-align: right; font: 400 9pt/1 "Segoe UI", "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif; color: var(--soft); }
.boxes, .commands, .variables { margin: 0 0 3mm; padding: 0; list-style: none; }
.boxes li { position: relative; padding: 0 0 1.6mm 7mm; }
.boxes li::before { content: ""; position: absolute; left: 0; top: .9mm; width: 3.6mm; height: 3.6mm; border: .3mm solid var(--ink); border-radius: .6mm; }
.warning { margin: 0; padding-left: 4mm; border-left: .9mm solid #b7791f; }
.steps { margin: 0 0 3mm; padding: 0; list-style: none; counter-reset: step; }
.steps li { position: relative; padding: 0 0 1.5mm 9mm; counter-increment: step; }
.steps li::before { content: counter(step); position: absolute; left: 0; top: .2mm; width: 5.4mm; height: 5.4mm; border-radius: 50%; background: var(--deep); color: #fff; font-size: 8.6pt; font-weight: 600; line-height: 5.4mm; text-align: center; }
.commands li { padding: 1mm 3mm; background: var(--tint); border-bottom: .5mm solid #fff; break-inside: avoid; }
.commands li:first-child { border-radius: 1.5mm 1.5mm 0 0; }
.commands li:last-child { border-radius: 0 0 1.5mm 1.5mm; }
.commands span { display: block; font-size: 8pt; line-height: 1.3; color: var(--soft); }
.commands code { font-size: 8.7pt; line-height: 1.35; white-space: pre-wrap; }
.commands b { font-weight: inherit; white-space: nowrap; }
.variables li { padding: 1mm 0; }
.lines i { display: block; height: 8mm; border-bottom: .2mm solid var(--line); }
.page { break-before: page; }
@media print { html { background: none; } main { max-width: none; margin: 0; padding: 0; box-shadow: none; } }
@media screen and (max-width: 640px) { main { margin: 0; padding: 7mm 5mm; } .words { grid-template-columns: repeat(2, 1fr); } dl > div { grid-template-columns: 1fr; gap: 0; } }
`;
