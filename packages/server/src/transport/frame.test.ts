import { describe, expect, test } from "vitest";
import { type Batch, Frame } from "./frame.js";

describe("a frame", () => {
  test.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])("[TR15] of %s bytes has the header of RFC 6455, section 5.2", (length, header) => {
    const { bytes } = new Frame("x".repeat(length));
    expect([...bytes.subarray(0, header.length)]).toEqual(header);
    expect(bytes.length).toBe(header.length + length);
  });

  test("counts bytes of UTF-8, not characters", () => {
    const { bytes } = new Frame("é".repeat(100));
    expect([...bytes.subarray(0, 4)]).toEqual([0x81, 126, 0, 200]);
    expect(bytes.subarray(4).toString()).toBe("é".repeat(100));
  });
});

describe("a batch", () => {
  const frames = ["a", "b", "c"].map((text) => new Frame(text));
  const grow = (): Batch => frames.slice(1).reduce((batch, frame) => batch.append(frame), frames[0]!.batch);

  test("[TR16] is the same one for everyone who is owed the same frames, and joined once", () => {
    expect(grow()).toBe(grow());
    expect(grow().bytes).toBe(grow().bytes);
    expect(grow().bytes).toEqual(Buffer.concat(frames.map((frame) => frame.bytes)));
    expect(grow().frames()).toEqual(frames);
  });

  test("[TR17] that goes on differently is another one, and the first stays as it was", () => {
    const one = grow();
    const before = [...one.bytes];
    const branch = frames[0]!.batch.append(new Frame("z"));
    expect(branch.frames().map((frame) => frame.text)).toEqual(["a", "z"]);
    expect([...one.bytes]).toEqual(before);
    expect(one.frames()).toEqual(frames);
  });

  test("of one frame is that frame, not a copy", () => {
    expect(frames[0]!.batch.bytes).toBe(frames[0]!.bytes);
  });
});
