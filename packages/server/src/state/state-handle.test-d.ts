import { defineProtocol } from "@holdfast/protocol";
import { createServer, type StateWritten } from "@holdfast/server";
import { expectTypeOf, test } from "vitest";
import * as z from "zod";

const protocol = defineProtocol({
  name: "typed",
  version: "1.0.0",
  channels: {
    board: { key: z.string(), state: z.object({ title: z.string(), at: z.date(), votes: z.number().default(0) }) },
    news: { events: { published: z.string() } },
  },
});
interface Board {
  title: string;
  at: Date;
  votes: number;
}

test("[TY7] a document is that of its channel: given with defaults left out, read with them filled in", async () => {
  const server = createServer(protocol);
  const { state } = server.channel("board", "a");
  expectTypeOf(await state.get()).toEqualTypeOf<Board | undefined>();
  expectTypeOf(await state.set({ title: "a", at: new Date() })).toEqualTypeOf<StateWritten<Board>>();
  expectTypeOf(await state.create({ title: "a", at: new Date() })).toEqualTypeOf<StateWritten<Board> | undefined>();
  void state.update((draft) => {
    expectTypeOf(draft).toEqualTypeOf<Board>();
    draft.votes++;
  });
  void state.update((draft) => ({ ...draft, title: "b" }));
  // @ts-expect-error: a title is a text
  void state.set({ title: 5, at: new Date() });
  // @ts-expect-error: the change must not be asynchronous
  void state.update(async (draft) => void draft.votes++);
  // @ts-expect-error: a board has no such member
  void state.update((draft) => void (draft.colour = "red"));
  expectTypeOf(server.channel("news").state).toBeNever();
});

test("[TY7] hooks are those of channels that declare state, and take its documents", () => {
  createServer(protocol, {
    state: {
      board: {
        load: async ({ key }) => ({ state: { title: `${key}`, at: new Date() }, version: 3 }),
        save: ({ state }) => expectTypeOf(state).toEqualTypeOf<Board | undefined>(),
      },
    },
  });
  // @ts-expect-error: the channel declares no state
  createServer(protocol, { state: { news: { load: () => undefined } } });
  // @ts-expect-error: the document has a title
  createServer(protocol, { state: { board: { load: () => ({ state: { at: new Date() } }) } } });
});
