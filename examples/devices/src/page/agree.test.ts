import { expect, test } from "vitest";
import { agree, type Step } from "./agree.js";

const on = (deviceId: string) => ({ deviceId, trackId: "harbour-lights", positionMs: 0 });
const here = { deviceId: "a", playing: false, claiming: false, fresh: false };

test.each<[string, Partial<typeof here>, ReturnType<typeof on> | undefined, Step]>([
  ["plays while the list says that another plays", { playing: true }, on("b"), "pause"],
  ["plays while the list says that nothing plays", { playing: true }, undefined, "claim"],
  ["plays as the list says", { playing: true }, on("a"), "nothing"],
  ["is paused while the list says that it plays", {}, on("a"), "release"],
  ["was loaded just now while the list says that it plays", { fresh: true }, on("a"), "resume"],
  ["is paused while another plays", {}, on("b"), "nothing"],
  ["was loaded just now while another plays", { fresh: true }, on("b"), "nothing"],
  ["is paused while nothing plays", {}, undefined, "nothing"],
  [
    "is claiming playback while an older list says that another plays",
    { playing: true, claiming: true },
    on("b"),
    "nothing",
  ],
  [
    "is claiming playback while an older list says that nothing plays",
    { playing: true, claiming: true },
    undefined,
    "nothing",
  ],
])("[DX10] agree: a device that %s takes the step that makes it agree with the list", (_, own, playing, step) => {
  expect(agree({ ...here, ...own }, playing)).toBe(step);
});
