import { expect, test } from "vitest";
import { agree, type Step } from "./agree.js";

const on = (deviceId: string) => ({ deviceId, trackId: "harbour-lights", positionMs: 0 });
const here = { deviceId: "a", playing: false, claiming: false, fresh: false };

test.each<[string, Partial<typeof here>, ReturnType<typeof on> | undefined, Step]>([
  ["plays, and another plays", { playing: true }, on("b"), "pause"],
  ["plays, and nothing does by the list", { playing: true }, undefined, "claim"],
  ["plays, as the list says", { playing: true }, on("a"), "nothing"],
  ["is paused, and plays by the list", {}, on("a"), "release"],
  ["was loaded just now, and plays by the list", { fresh: true }, on("a"), "resume"],
  ["is paused, and another plays", {}, on("b"), "nothing"],
  ["was loaded just now, and another plays", { fresh: true }, on("b"), "nothing"],
  ["is paused, and nothing plays", {}, undefined, "nothing"],
  ["claims it, and another plays by an older list", { playing: true, claiming: true }, on("b"), "nothing"],
  ["claims it, and nothing plays by an older list", { playing: true, claiming: true }, undefined, "nothing"],
])("[DX10] A device that %s does what makes both say the same.", (_, own, playing, step) => {
  expect(agree({ ...here, ...own }, playing)).toBe(step);
});
