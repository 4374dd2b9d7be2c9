import type { DeviceKind } from "../protocol.js";
import { svg } from "@holdfast/example-kit/page/dom";

const shapes = {
  play: ["M8 5v14l11-7z"],
  pause: ["M7 5h4v14H7z", "M13 5h4v14h-4z"],
  next: ["M6 5v14l9-7z", "M16 5h2.6v14H16z"],
  previous: ["M18 5v14l-9-7z", "M5.4 5H8v14H5.4z"],
  edit: ["M4 20l1-4.5L16.2 4.3a1.8 1.8 0 0 1 2.6 0l1 1a1.8 1.8 0 0 1 0 2.6L8.5 19z"],
  computer: [
    "M3 5.5A1.5 1.5 0 0 1 4.5 4h15A1.5 1.5 0 0 1 21 5.5v10H3z",
    "M1.5 17h21v1.5a1.5 1.5 0 0 1-1.5 1.5H3a1.5 1.5 0 0 1-1.5-1.5z",
  ],
  tablet: ["M6.5 2h11A1.5 1.5 0 0 1 19 3.5v17a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 20.5v-17A1.5 1.5 0 0 1 6.5 2z"],
  phone: ["M8.5 2h7A1.5 1.5 0 0 1 17 3.5v17a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 7 20.5v-17A1.5 1.5 0 0 1 8.5 2z"],
} as const satisfies {
  readonly [Name in DeviceKind | "play" | "pause" | "next" | "previous" | "edit"]: readonly string[];
};

export type IconName = keyof typeof shapes;

/**
 * Draws an icon. The icon has no label, because the element around the icon has a label or a text.
 */
export function icon(name: IconName, size = 20): SVGElement {
  const paths = shapes[name].map((d) => svg("path", { d }));
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" },
    ...paths,
  );
}
