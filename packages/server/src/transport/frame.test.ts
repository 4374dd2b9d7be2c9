import { describe, expect, test } from "vitest";
import { type Batch, Frame } from "./frame.js";

describe("Frame", () => {
  test.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])("[TR15] a frame with a payload of %s bytes has the header of RFC 6455, section 5.2", (length, header) => {
    const { bytes } = new Frame("x".repeat(length));
    expect([...bytes.subarray(0, header.length)]).toEqual(header);
    expect(bytes.length).toBe(header.length + length);
  });

  test("the length in the header counts UTF-8 bytes, not characters", () => {
    const { bytes } = new Frame("é".repeat(100));
    expect([...bytes.subarray(0, 4)]).toEqual([0x81, 126, 0, 200]);
    expect(bytes.subarray(4).toString()).toBe("é".repeat(100));
  });
});

describe("Batch", () => {
  const frames = ["a", "b", "c"].map((text) => new Frame(text));
  const grow = (): Batch => frames.slice(1).reduce((batch, frame) => batch.append(frame), frames[0]!.batch);

  test("[TR16] appending the same frames returns the same batch, whose bytes are concatenated once", () => {
    expect(grow()).toBe(grow());
    expect(grow().bytes).toBe(grow().bytes);
    expect(grow().bytes).toEqual(Buffer.concat(frames.map((frame) => frame.bytes)));
    expect(grow().frames()).toEqual(frames);
  });

  test("[TR17] appending a different frame returns another batch and leaves the existing batch unchanged", () => {
    const one = grow();
    const before = [...one.bytes];
    const branch = frames[0]!.batch.append(new Frame("z"));
    expect(branch.frames().map((frame) => frame.text)).toEqual(["a", "z"]);
    expect([...one.bytes]).toEqual(before);
    expect(one.frames()).toEqual(frames);
  });

  test("a batch of one frame returns the bytes of the frame without copying them", () => {
    expect(frames[0]!.batch.bytes).toBe(frames[0]!.bytes);
  });
});
