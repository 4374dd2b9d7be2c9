import type { Sample } from "../protocol.js";
import { h, setAttributes, setText, svg } from "@holdfast/example-kit/page/dom";
import type { FleetStore } from "./fleet-store.js";
import { bytes, clock, percent } from "./format.js";
import { type BandPoint, bands, type Measure, stretches, ticks, valueOf } from "./stack.js";

const WINDOW_MS = 120_000;
const HEIGHT = 190;
const MARGIN = { top: 10, right: 4, bottom: 20, left: 52 };

const measures: { readonly [M in Measure]: { title: string; least: number; show: (value: number) => string } } = {
  cpu: { title: "CPU", least: 20, show: percent },
  memory: { title: "Memory", least: 50_000_000, show: bytes },
};

/** Converts values to pixels. */
interface Scale {
  readonly width: number;
  x(at: number): number;
  y(value: number): number;
}

/** Draws the usage of the agents over the last two minutes, one band for each agent. */
export function usageChart(host: HTMLElement, store: FleetStore, select: (agentId: string) => void): () => void {
  let measure: Measure = "cpu";
  let pointerX: number | undefined;

  const switches = (Object.keys(measures) as Measure[]).map((name) => {
    const button = h("button", { type: "button" }, measures[name].title);
    button.addEventListener("click", () => {
      measure = name;
      render();
    });
    return { name, button };
  });
  const moment = h("span", { class: "muted" });
  const plot = svg("svg", { class: "plot", height: HEIGHT, role: "img" });
  const legend = h("ul", { class: "legend" });
  host.append(
    h(
      "div",
      { class: "section-head" },
      h("h2", { id: "chart-title" }, "Usage"),
      moment,
      h("div", { class: "switch", role: "group", "aria-label": "Measure" }, ...switches.map(({ button }) => button)),
    ),
    plot,
    legend,
  );
  const point = (x: number | undefined) => {
    pointerX = x;
    render();
  };
  plot.addEventListener("pointermove", ({ offsetX }) => point(offsetX));
  plot.addEventListener("pointerleave", () => point(undefined));
  new ResizeObserver(() => render()).observe(host);

  const render = (): void => {
    for (const { name, button } of switches) setAttributes(button, { "aria-pressed": String(name === measure) });
    const { latest } = store;
    if (!latest) return;
    const { least, show, title } = measures[measure];
    const end = latest.at.getTime();
    const visible = stretches(store.samples, end - WINDOW_MS);
    const samples = visible.flat();
    const valueIn = (sample: Sample, id: string): number | undefined => valueOf(sample, id, measure);
    const ids = [...store.agents.keys()].filter((id) => samples.some((sample) => valueIn(sample, id) !== undefined));
    const total = (sample: Sample): number => ids.reduce((sum, id) => sum + (valueIn(sample, id) ?? 0), 0);

    const marks = ticks(Math.max(least, ...samples.map(total)));
    const scale = makeScale(Math.max(240, plot.clientWidth), end, marks.at(-1) ?? least);
    const pointed = pointerX === undefined ? undefined : nearest(samples, pointerX, scale);

    plot.replaceChildren(
      ...marks.map((mark) => gridLine(scale, mark, show(mark))),
      ...timeAxis(scale, end),
      ...visible.flatMap((stretch) =>
        bands(stretch, ids, measure)
          .map((band, index) => drawBand(scale, band, store, ids[index] ?? ""))
          // The lowest band is drawn last, so that its line stays visible if the band above has no
          // height.
          .reverse(),
      ),
      ...(pointed ? [cursor(scale, pointed.at.getTime())] : []),
    );
    setAttributes(plot, { "aria-label": `${title} of ${ids.length} agents, ${show(total(latest))} in all` });
    setText(moment, pointed ? `at ${clock(pointed.at)}` : "last two minutes");
    legend.replaceChildren(
      ...ids.map((id) => {
        const agent = store.agents.get(id);
        const name = h("button", { type: "button" }, h("i", { class: "swatch" }), agent ? store.titleOf(agent) : id);
        name.addEventListener("click", () => select(id));
        const value = valueIn(pointed ?? latest, id);
        return h(
          "li",
          { "data-colour": store.colourOf(id) },
          name,
          value === undefined ? undefined : h("span", {}, show(value)),
        );
      }),
    );
  };
  let drawn: readonly unknown[] = [];
  return () => {
    // Lines of output do not change the chart, and many may arrive between two samples.
    const facts = [store.samples, store.selectedId, store.agents.size, store.programs];
    if (facts.every((fact, index) => fact === drawn[index])) return;
    drawn = facts;
    render();
  };
}

function makeScale(width: number, end: number, highest: number): Scale {
  const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  return {
    width,
    x: (at) => MARGIN.left + (1 - (end - at) / WINDOW_MS) * inner.width,
    y: (value) => MARGIN.top + (1 - value / highest) * inner.height,
  };
}

function drawBand({ x, y }: Scale, band: readonly BandPoint[], store: FleetStore, id: string): SVGElement {
  const along = (edge: "low" | "high"): string[] =>
    band.map((point) => `${x(point.at).toFixed(1)},${y(point[edge]).toFixed(1)}`);
  const line = band.length === 0 ? "" : `M${along("high").join("L")}`;
  return svg(
    "g",
    { class: "band", "data-colour": store.colourOf(id), "data-selected": id === store.selectedId },
    svg("path", { class: "band-area", d: line && `${line}L${along("low").reverse().join("L")}Z` }),
    svg("path", { class: "band-line", d: line }),
  );
}

function gridLine({ width, y }: Scale, mark: number, label: string): SVGElement {
  return svg(
    "g",
    {},
    svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(mark), y2: y(mark) }),
    svg("text", { class: "axis", x: MARGIN.left - 8, y: y(mark) + 4, "text-anchor": "end" }, label),
  );
}

function timeAxis({ x }: Scale, end: number): SVGElement[] {
  const labels = [
    { text: "2 min ago", at: end - WINDOW_MS, anchor: "start" },
    { text: "1 min ago", at: end - WINDOW_MS / 2, anchor: "middle" },
    { text: "now", at: end, anchor: "end" },
  ];
  return labels.map(({ text, at, anchor }) =>
    svg("text", { class: "axis", x: x(at), y: HEIGHT - 4, "text-anchor": anchor }, text),
  );
}

function cursor({ x, y }: Scale, at: number): SVGElement {
  return svg("line", { class: "cursor", x1: x(at), x2: x(at), y1: MARGIN.top, y2: y(0) });
}

function nearest(samples: readonly Sample[], offsetX: number, { x }: Scale): Sample | undefined {
  const distance = (sample: Sample): number => Math.abs(x(sample.at.getTime()) - offsetX);
  let best: Sample | undefined;
  for (const sample of samples) if (best === undefined || distance(sample) < distance(best)) best = sample;
  return best;
}
