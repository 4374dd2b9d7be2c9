import type { Sample } from "../protocol.js";
import { h, setAttributes, setText, svg } from "./dom.js";
import type { FleetStore } from "./fleet-store.js";
import { bytes, clock, percent } from "./format.js";
import { bands, type Measure, stretches, ticks, valueOf } from "./stack.js";

const WINDOW_MS = 120_000;
const HEIGHT = 190;
const MARGIN = { top: 10, right: 4, bottom: 20, left: 52 };

const measures: { readonly [M in Measure]: { title: string; least: number; show: (value: number) => string } } = {
  cpu: { title: "CPU", least: 20, show: percent },
  memory: { title: "Memory", least: 50_000_000, show: bytes },
};

/** What the agents use, one band each, over the last two minutes. */
export function usageChart(host: HTMLElement, store: FleetStore, select: (agentId: string) => void): () => void {
  let measure: Measure = "cpu";
  let pointedAt: number | undefined;

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
      h(
        "div",
        { class: "switch", role: "group", "aria-label": "What to show" },
        ...switches.map(({ button }) => button),
      ),
    ),
    plot,
    legend,
  );
  plot.addEventListener("pointermove", (event) => {
    pointedAt = event.offsetX;
    render();
  });
  plot.addEventListener("pointerleave", () => {
    pointedAt = undefined;
    render();
  });
  new ResizeObserver(() => render()).observe(host);

  const render = (): void => {
    for (const { name, button } of switches) setAttributes(button, { "aria-pressed": String(name === measure) });
    const { latest } = store;
    if (!latest) return;
    const { least, show, title } = measures[measure];
    const end = latest.at.getTime();
    const visible = stretches(store.samples, end - WINDOW_MS);
    const all = visible.flat();
    const ids = [...store.agents.keys()].filter((id) => all.some((sample) => valueOf(sample, id, measure) > 0));

    const width = Math.max(240, plot.clientWidth);
    const total = (sample: Sample): number => ids.reduce((sum, id) => sum + valueOf(sample, id, measure), 0);
    const marks = ticks(Math.max(least, ...all.map(total)));
    const highest = marks.at(-1) ?? least;
    const x = (at: number): number => MARGIN.left + (1 - (end - at) / WINDOW_MS) * (width - MARGIN.left - MARGIN.right);
    const y = (value: number): number =>
      HEIGHT - MARGIN.bottom - (value / highest) * (HEIGHT - MARGIN.top - MARGIN.bottom);

    const pointed = pointedAt === undefined ? undefined : nearest(all, pointedAt, x);
    setText(moment, pointed ? `at ${clock(pointed.at)}` : "last two minutes");
    plot.replaceChildren(
      ...marks.map((mark) => gridLine(y(mark), width, show(mark))),
      ...["2 min ago", "1 min ago", "now"].map((text, index) =>
        svg(
          "text",
          {
            class: "axis",
            x: x(end - WINDOW_MS * (1 - index / 2)),
            y: HEIGHT - 4,
            "text-anchor": ["start", "middle", "end"][index],
          },
          text,
        ),
      ),
      ...visible.flatMap((samples) =>
        // From the top down: where a band has no height, the line of the one below it is what should be seen.
        bands(samples, ids, measure)
          .reverse()
          .map((band, index) => {
            const id = ids[ids.length - 1 - index] ?? "";
            const along = (edge: 0 | 1): string[] =>
              samples.map(
                (sample, at) => `${x(sample.at.getTime()).toFixed(1)},${y(band[at]?.[edge] ?? 0).toFixed(1)}`,
              );
            return svg(
              "g",
              { class: "band", "data-colour": store.colourOf(id), "data-selected": id === store.selectedId },
              svg("path", { class: "band-area", d: `M${along(1).join("L")}L${along(0).reverse().join("L")}Z` }),
              svg("path", { class: "band-line", d: `M${along(1).join("L")}` }),
            );
          }),
      ),
      ...(pointed
        ? [
            svg("line", {
              class: "cursor",
              x1: x(pointed.at.getTime()),
              x2: x(pointed.at.getTime()),
              y1: MARGIN.top,
              y2: y(0),
            }),
          ]
        : []),
    );
    setAttributes(plot, { "aria-label": `${title} of ${ids.length} agents, ${show(total(latest))} in all` });
    legend.replaceChildren(
      ...ids.map((id) => {
        const agent = store.agents.get(id);
        const name = h("button", { type: "button" }, h("i", { class: "swatch" }), agent ? store.titleOf(agent) : id);
        name.addEventListener("click", () => select(id));
        const value = show(valueOf(pointed ?? latest, id, measure));
        return h("li", { "data-colour": store.colourOf(id) }, name, h("span", {}, value));
      }),
    );
  };
  return render;
}

function gridLine(y: number, width: number, label: string): SVGElement {
  return svg(
    "g",
    {},
    svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }),
    svg("text", { class: "axis", x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, label),
  );
}

function nearest(samples: readonly Sample[], offsetX: number, x: (at: number) => number): Sample | undefined {
  const distance = (sample: Sample): number => Math.abs(x(sample.at.getTime()) - offsetX);
  return samples.reduce<Sample | undefined>(
    (best, sample) => (best === undefined || distance(sample) < distance(best) ? sample : best),
    undefined,
  );
}
