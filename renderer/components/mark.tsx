/** The mark of Holdfast: a shield that is held. */
export function Mark({ size }: { readonly size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 64 64" aria-hidden="true">
      <rect width="64" height="64" rx="15" fill="var(--mantine-color-harbor-7)" />
      <path d="M32 10 14 17v13c0 11.5 7.3 19.7 18 24 10.7-4.3 18-12.5 18-24V17z" fill="#fff" />
      <path
        d="M25 21v22M39 21v22M25 32h14"
        fill="none"
        stroke="var(--mantine-color-harbor-7)"
        strokeWidth="5.5"
        strokeLinecap="round"
      />
    </svg>
  );
}
