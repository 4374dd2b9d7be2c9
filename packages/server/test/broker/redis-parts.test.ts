import fc from "fast-check";
import { Redis } from "ioredis";
import { redisBroker, type RedisBrokerOptions } from "@holdfast/server/redis";
import { expect, test } from "vitest";
import { announcement, readAnnouncement, readEntry, writeEntry } from "../../src/broker/redis/announcement.js";
import { slotOf, topicKeys } from "../../src/broker/redis/keys.js";

/** Tests of the Redis broker that need no Redis. */

test("[BR47] `redisBroker` throws INVALID_OPTION with the option's name for invalid options, without quoting a secret", () => {
  const client = new Redis({ lazyConnect: true });
  const wrong: [unknown, string][] = [
    [undefined, "options"],
    [{}, "url"],
    [{ url: "redis://localhost", client }, "url"],
    [{ url: "localhost:6379" }, "url"],
    [{ url: "http://localhost" }, "url"],
    [{ url: "redis//:secret@x" }, "url"],
    [{ url: 6379 }, "url"],
    [{ client: {} }, "client"],
    [{ client: null }, "client"],
    [{ url: "redis://localhost", prefix: "" }, "prefix"],
    [{ url: "redis://localhost", prefix: "a{b" }, "prefix"],
    [{ url: "redis://localhost", prefix: "a}b" }, "prefix"],
    [{ url: "redis://localhost", prefix: "a b" }, "prefix"],
    [{ url: "redis://localhost", prefix: "x".repeat(65) }, "prefix"],
    [{ url: "redis://localhost", keyPrefix: "a" }, "keyPrefix"],
  ];
  for (const [options, field] of wrong) {
    let thrown: unknown;
    try {
      redisBroker(options as RedisBrokerOptions);
    } catch (error) {
      thrown = error;
    }
    expect(
      thrown,
      JSON.stringify(options, (key, value: unknown) => (key === "client" ? "a client" : value)),
    ).toMatchObject({
      code: "INVALID_OPTION",
      field,
      message: expect.not.stringContaining("secret"),
    });
  }
  // A broker does not connect before an instance joins.
  redisBroker({ url: "rediss://user:secret@localhost:1/2", prefix: "app:holdfast" });
  redisBroker({ client });
  expect(client.status).toBe("wait");
});

test("[BR25] `topicKeys` returns different keys for different topics, and all keys of a topic are in one slot", () => {
  const anyText = fc.string({ unit: fc.constantFrom("a", "%", "{", "}", ":", "0", "\ud800", "\udc00", "😀", " ") });
  fc.assert(
    fc.property(anyText, anyText, (one, two) => {
      const keys = topicKeys("holdfast", one);
      for (const key of [keys.meta, keys.log, keys.table, keys.channel, keys.key(two)])
        expect(slotOf(key)).toBe(keys.slot);
      // Redis compares keys as UTF-8.
      const bytes = (topic: string): string => Buffer.from(topicKeys("holdfast", topic).meta).toString("hex");
      expect(bytes(one) === bytes(two)).toBe(one === two);
      const keyed = (key: string): string => Buffer.from(keys.key(key)).toString("hex");
      expect(keyed(one) === keyed(two)).toBe(one === two);
    }),
  );
});

test("[BR39] a valid announcement is parsed unchanged, and parsing invalid bytes neither throws nor yields an invalid link", () => {
  const whole = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(whole, whole, (id, body) => {
      fc.pre(Buffer.byteLength(id) < 10_000);
      expect(readAnnouncement(Buffer.from(announcement(id, body)))).toEqual({ body });
    }),
  );
  fc.assert(
    fc.property(whole, fc.option(whole, { nil: undefined }), (field, value) => {
      expect(readEntry(writeEntry({ field, value }))).toEqual({ field, value });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readAnnouncement(Buffer.from(bytes))),
    { numRuns: 2_000 },
  );
  const mangled = fc.stringMatching(/^[0-9:]{0,24}.{0,40}$/);
  fc.assert(
    fc.property(mangled, (text) => {
      const read = readAnnouncement(Buffer.from(text));
      if (read?.link) expect(read.link).toMatchObject({ offset: expect.any(Number), id: expect.stringMatching(/./) });
    }),
    { numRuns: 2_000 },
  );
});
