import { describe, expect, test } from "vitest";
import { EXAMPLE_CAST } from "./cast.js";
import { drawing } from "./drawing.js";
import { checkFrame } from "./examples.js";
import { mermaid } from "./mermaid.js";
import { actorsOf, labelOf, type Sequence, type Step } from "./sequence.js";
import { sequencesOf } from "./sequences.js";
import { wireMessages } from "@holdfast/protocol/wire";

const sequences = sequencesOf(EXAMPLE_CAST);

function stepsOf(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) =>
    step.kind === "either" ? step.branches.flatMap((branch) => stepsOf(branch.steps)) : [step],
  );
}

describe("the diagrams", () => {
  test("[DC6] cover connecting, subscribing, requests, resuming, heartbeat, refusals and restarts", () => {
    expect(sequences.map(({ id }) => id)).toEqual([
      "connect-with-a-token",
      "connect-with-a-cookie",
      "subscribe-and-publish",
      "request-and-cancel",
      "renew-a-credential",
      "continue-a-session",
      "send-to-devices",
      "presence",
      "resume-or-reset",
      "heartbeat",
      "refusal",
      "restart",
    ]);
  });

  test.each(sequences.map((sequence) => [sequence.id, sequence] as const))(
    "[DC6] %s shows only frames that the receiver can decode",
    (_id, { steps }) => {
      const frames = stepsOf(steps).filter((step) => step.kind === "frame");
      expect(() => frames.forEach((step) => checkFrame(step.sentBy, step.message))).not.toThrow();
    },
  );

  test.each(sequences.map((sequence) => [sequence.id, sequence] as const))(
    "[DC6] %s has the same labels in mermaid and in the drawing",
    (_id, sequence) => {
      const text = mermaid(sequence);
      const picture = drawing(sequence).replace(/<[^>]+>/g, "");
      for (const step of stepsOf(sequence.steps)) {
        const label = step.kind === "frame" ? labelOf(step.message) : step.kind === "either" ? "" : step.label;
        expect(text.replace(/#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))).toContain(label);
        expect(decode(picture)).toContain(label.length > 56 ? label.slice(0, 55) : label);
      }
    },
  );

  test("[DC6] the drawing escapes names", () => {
    const [first] = sequencesOf({ ...EXAMPLE_CAST, channel: "<script>alert(1)</script>" }).filter(
      ({ id }) => id === "connect-with-a-token",
    );
    expect(drawing(first as Sequence)).not.toContain("<script>");
  });

  test("[DC6] every wire message has a label", () => {
    for (const { type, example } of wireMessages) expect(labelOf(example).split(" ")[0]).toBe(type);
  });

  test("[DC6] every box lies inside the picture", () => {
    for (const sequence of sequences) {
      const picture = drawing(sequence);
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(picture)!.map(Number) as [number, number, number];
      for (const [, x, y, w, h] of picture.matchAll(
        /<rect[^>]* x="([-\d.]+)" y="([-\d.]+)" width="([-\d.]+)" height="([-\d.]+)"/g,
      )) {
        expect(Number(x)).toBeGreaterThanOrEqual(0);
        expect(Number(x) + Number(w)).toBeLessThanOrEqual(width);
        expect(Number(y) + Number(h)).toBeLessThanOrEqual(height);
      }
      expect(actorsOf(sequence.steps).length).toBeGreaterThan(1);
    }
  });
});

function decode(html: string): string {
  return html.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name] ?? "",
  );
}
