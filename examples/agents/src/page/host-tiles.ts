import { h, setText } from "@holdfast/example-kit/page/dom";
import type { FleetStore } from "./fleet-store.js";
import { bytes, percent } from "./format.js";
import { Sparkline } from "./sparkline.js";

const SLOTS = 60;

/** Draws the load of the machine in four tiles. */
export function hostTiles(host: HTMLElement, store: FleetStore): () => void {
  const cpu = tile("CPU");
  const memory = tile("Memory");
  const load = tile("Load");
  const traffic = tile("Events delivered");
  host.append(cpu.element, memory.element, load.element, traffic.element);

  return () => {
    const { latest } = store;
    if (!latest) return;
    const { cpuPercent, cores, memoryUsedBytes, memoryTotalBytes } = latest.host;
    const recent = store.samples.slice(-SLOTS).map((sample) => sample.host);
    cpu.show(percent(cpuPercent), `of ${cores} ${cores === 1 ? "core" : "cores"}`);
    cpu.spark.draw(
      recent.map((figures) => figures.cpuPercent),
      SLOTS,
      100,
    );
    memory.show(bytes(memoryUsedBytes), `of ${bytes(memoryTotalBytes)}`);
    memory.spark.draw(
      recent.map((figures) => figures.memoryUsedBytes),
      SLOTS,
      memoryTotalBytes,
    );
    load.show(latest.host.load.toFixed(2), "over the last minute");
    load.spark.draw(
      recent.map((figures) => figures.load),
      SLOTS,
      cores,
    );
    const { connections, deliveriesPerSecond } = latest.server;
    traffic.show(`${deliveriesPerSecond}/s`, `to ${connections} ${connections === 1 ? "connection" : "connections"}`);
    traffic.spark.draw(
      store.samples.slice(-SLOTS).map(({ server }) => server.deliveriesPerSecond),
      SLOTS,
      20,
    );
  };
}

function tile(name: string) {
  const spark = new Sparkline();
  const value = h("strong", {}, "–");
  const note = h("span", { class: "muted" });
  const element = h(
    "div",
    { class: "tile" },
    h("p", { class: "tile-name" }, name),
    h("p", {}, value, " ", note),
    spark.element,
  );
  return {
    element,
    spark,
    show(text: string, detail: string) {
      setText(value, text);
      setText(note, detail);
    },
  };
}
