import { setAttributes, svg } from "@holdfast/example-kit/page/dom";

const WIDTH = 240;
const HEIGHT = 44;

/** A small area chart of one value over time. The newest value is at the right edge. */
export class Sparkline {
  readonly element: SVGSVGElement;
  readonly #line = svg("path", { class: "spark-line" });
  readonly #area = svg("path", { class: "spark-area" });

  constructor() {
    this.element = svg(
      "svg",
      { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      this.#area,
      this.#line,
    );
  }

  /**
   * `slots` is the number of values that fit the width. `least` is the smallest value that fills
   * the height.
   */
  draw(values: readonly (number | undefined)[], slots: number, least: number): void {
    const top = Math.max(least, ...values.map((value) => value ?? 0));
    const step = WIDTH / (slots - 1);
    const points = values
      .map((value, index) => ({ value, x: WIDTH - (values.length - 1 - index) * step }))
      .filter((point): point is { value: number; x: number } => point.value !== undefined)
      .map(({ value, x }) => `${x.toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`);
    const line = points.length > 1 ? `M${points.join("L")}` : "";
    const firstX = points[0]?.split(",")[0] ?? WIDTH;
    setAttributes(this.#line, { d: line });
    setAttributes(this.#area, { d: line && `${line}L${WIDTH},${HEIGHT}L${firstX},${HEIGHT}Z` });
  }
}
