import { defineProtocol } from "@holdfast/protocol";
import { createServer, type DocumentWritten } from "@holdfast/server";
import { expectTypeOf, test } from "vitest";
import * as z from "zod";

const protocol = defineProtocol({
  name: "typed",
  version: "1.0.0",
  channels: {
    board: { key: z.string(), document: z.object({ title: z.string(), at: z.date(), votes: z.number().default(0) }) },
    news: { events: { published: z.string() } },
  },
});
interface Board {
  title: string;
  at: Date;
  votes: number;
}

test("[TY7] document handle: the type follows from the channel's schema; `set` may omit defaults, and `get` returns them", async () => {
  const server = createServer(protocol);
  const { document } = server.channel("board", "a");
  expectTypeOf(await document.get()).toEqualTypeOf<Board | undefined>();
  expectTypeOf(await document.set({ title: "a", at: new Date() })).toEqualTypeOf<DocumentWritten<Board>>();
  expectTypeOf(await document.create({ title: "a", at: new Date() })).toEqualTypeOf<
    DocumentWritten<Board> | undefined
  >();
  void document.update((draft) => {
    expectTypeOf(draft).toEqualTypeOf<Board>();
    draft.votes++;
  });
  void document.update((draft) => ({ ...draft, title: "b" }));
  // @ts-expect-error: a title is a string
  void document.set({ title: 5, at: new Date() });
  // @ts-expect-error: the change must not be asynchronous
  void document.update(async (draft) => void draft.votes++);
  // @ts-expect-error: a board has no such member
  void document.update((draft) => void (draft.colour = "red"));
  expectTypeOf(server.channel("news").document).toBeNever();
});

test("[TY7] documents: hooks exist only for channels that declare a document, and have its types", () => {
  createServer(protocol, {
    documents: {
      board: {
        load: async ({ key }) => ({ document: { title: `${key}`, at: new Date() }, version: 3 }),
        save: ({ document }) => expectTypeOf(document).toEqualTypeOf<Board | undefined>(),
      },
    },
  });
  // @ts-expect-error: the channel declares no document
  createServer(protocol, { documents: { news: { load: () => undefined } } });
  // @ts-expect-error: the document has a title
  createServer(protocol, { documents: { board: { load: () => ({ document: { at: new Date() } }) } } });
});
