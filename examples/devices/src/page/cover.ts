import { tracks } from "../tracks.js";
import { svg } from "@holdfast/example-kit/page/dom";

/** The number of cover colours in theme.css. If there are more tracks, colours repeat. */
const COLOURS = 6;

/** Draws a picture for a track from its id. The picture is always the same and needs no file. */
export function cover(id: string): SVGElement {
  const number = numbers(id);
  const colour = tracks.findIndex((track) => track.id === id) % COLOURS;
  const rings = Array.from({ length: 5 }, (_, index) =>
    svg("circle", {
      class: "cover-ring",
      cx: Math.round(20 + number() * 80),
      cy: Math.round(20 + number() * 80),
      r: Math.round(12 + index * 11 + number() * 8),
    }),
  );
  const height = 62 + number() * 30;
  const wave = Array.from({ length: 4 }, (_, index) => {
    const x = index * 40;
    return `S${x - 16} ${(height + number() * 26 - 13).toFixed(0)} ${x} ${(height + number() * 16 - 8).toFixed(0)}`;
  });
  return svg(
    "svg",
    { class: "cover", viewBox: "0 0 120 120", "data-colour": colour, "aria-hidden": "true" },
    svg("rect", { class: "cover-ground", width: 120, height: 120 }),
    ...rings,
    svg("path", { class: "cover-wave", d: `M-10 ${height.toFixed(0)}${wave.join("")}V130H-10Z` }),
  );
}

/**
 * Returns a function that gives numbers from 0 to 1. The numbers depend only on the text (FNV-1a,
 * then xorshift).
 */
function numbers(text: string): () => number {
  let state = 2_166_136_261;
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}
