/** The page's few icons: strokes in the colour of the text around them, hidden from screen readers (the control has a name). */
import type { VNode } from 'preact';

const paths = {
  upload: 'M12 16V4m0 0L7 9m5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3',
  tasks: 'M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01',
  documents: 'M7 3h7l5 5v13H7zM14 3v5h5M10 13h6M10 17h6',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  system: 'M4 19V5m0 14h16M8 15l4-5 3 3 5-7',
  folder: 'M3 6h6l2 2h10v11H3z',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5m11 11L19 19M19 5l-1.5 1.5m-11 11L5 19',
  moon: 'M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  retry: 'M4 12a8 8 0 0 1 14-5l2 2m0-5v5h-5M20 12a8 8 0 0 1-14 5l-2-2m0 5v-5h5',
  stop: 'M7 7h10v10H7z',
  trash: 'M4 7h16M9 7V4h6v3m-8 0 1 13h8l1-13M10 11v5m4-5v5',
  download: 'M12 4v12m0 0-5-5m5 5 5-5M4 20h16',
  text: 'M5 5h14M5 10h14M5 15h9M5 20h6',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  check: 'M5 13l4 4L19 7',
  warning: 'M12 4l9 16H3zM12 10v4m0 3h.01',
  key: 'M14 10a5 5 0 1 1-3-4.6L20 5v4h-3v3h-3z',
  quote: 'M10 7H5v6h5V7zm0 6c0 3-1 4-4 5M19 7h-5v6h5V7zm0 6c0 3-1 4-4 5',
  turn: 'M19 12a7 7 0 1 1-2-5l2 2m0-5v5h-5',
  leave: 'M14 4h6v16h-6M10 8l-4 4 4 4m-4-4h10',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): VNode {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
