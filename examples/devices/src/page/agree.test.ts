import { expect, test } from "vitest";
import { agree, type Step } from "./agree.js";

const on = (deviceId: string) => ({ deviceId, trackId: "harbour-lights", positionMs: 0 });
const here = { deviceId: "a", playing: false, claiming: false, fresh: false };

test.each<[string, Partial<typeof here>, ReturnType<typeof on> | undefined, Step]>([
  ["plays while the list says that another device plays", { playing: true }, on("b"), "pause"],
  ["plays while the list says that nothing plays", { playing: true }, undefined, "claim"],
  ["plays as the list says", { playing: true }, on("a"), "nothing"],
  ["is paused while the list says that this device plays", {}, on("a"), "release"],
  ["was loaded just now while the list says that this device plays", { fresh: true }, on("a"), "resume"],
  ["is paused while another device plays", {}, on("b"), "nothing"],
  ["was loaded just now while another device plays", { fresh: true }, on("b"), "nothing"],
  ["is paused while nothing plays", {}, undefined, "nothing"],
  [
    "is claiming playback while an older list says that another device plays",
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
])(
  "[DX10] agree returns the step that makes a device agree with the list if the device %s",
  (_, own, playing, step) => {
    expect(agree({ ...here, ...own }, playing)).toBe(step);
  },
);
