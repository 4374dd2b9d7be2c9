import { describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { boards, boardServer } from "../test/support/board.js";
import { pass, settle, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { keepPositions } from "./keep-positions.js";
import { documentOf } from "./document.js";
import { FIRST, titled, title, onBoard, followed } from "../test/support/board-client.js";

withFakeTime();

describe("Later subscribers of a document", () => {
  test("[SC5] receive the document, which is requested once", async () => {
    const { server, client, board, document, said } = onBoard();
    board.on("moved", () => undefined);
    await settle();
    server.patch(title("2"));
    const heard = vi.fn();
    onChange(document, heard);
    const late = documentOf(client.channel("board", "b"));
    late.subscribe(() => undefined);
    await settle();
    expect(heard).toHaveBeenCalledExactlyOnceWith(titled("2"), undefined);
    expect(late.get()).toBe(document.get());
    expect(said()).toEqual(["-", "-"]);
    expect(board.status.get().name).toBe("subscribed");
  });

  test("[SC5] cause no further request while the channel is being joined", async () => {
    const { server, board, document, said } = onBoard();
    server.hold(true);
    board.on("moved", () => undefined);
    await settle();
    document.subscribe(() => undefined);
    await settle();
    server.hold(false);
    await settle();
    expect(document.get()).toEqual(FIRST.data);
    expect(said()).toEqual(["-"]);
  });

  test("[SC5] cause a request for the document if the last `subscribe` said `held` and the earlier listeners are gone", async () => {
    const { server, board, document, off, said } = await followed();
    board.on("moved", () => undefined);
    server.cut();
    server.hold(true);
    await pass(5_000);
    expect(said()).toEqual(["-", "held"]);
    off();
    await settle();
    document.subscribe(() => undefined);
    expect(document.get()).toBeUndefined();
    server.hold(false);
    await settle();
    expect(document.get()).toEqual(FIRST.data);
    expect(said()).toEqual(["-", "held", "-"]);
  });

  test("[SC5] after the last listener is gone, `subscribe` does not say `held`", async () => {
    const { server, board, document, off, said } = await followed();
    board.on("moved", () => undefined);
    off();
    server.patch(title("2"));
    server.cut();
    await pass(5_000);
    expect(said()).toEqual(["-", "-"]);
    server.cut();
    document.subscribe(() => undefined);
    await pass(5_000);
    expect(said()).toEqual(["-", "-", "-"]);
    expect(document.get()?.title).toBe("2");
  });

  test("[SC5] listeners that are removed and added again in one turn find the document, and the client requests nothing", async () => {
    const { server, board, document, heard, off, said } = await followed();
    const before = document.get();
    off();
    expect(document.get()).toBeUndefined();
    const again = onChange(document, (now) => heard.push(now?.title));
    expect(document.get()).toBe(before);
    again();
    onChange(document, (now) => heard.push(now?.title));
    await settle();
    expect(document.get()).toBe(before);
    server.patch(title("2"));
    expect(heard).toEqual(["2"]);
    expect(board.status.get().name).toBe("subscribed");
    expect(said()).toEqual(["-"]);
  });

  test("[SC5] a component that subscribes anew in each render, in any status, requests no more than a component that does not", async () => {
    const { server, board, document, said } = onBoard();
    const rendered: unknown[] = [];
    let off = (): void => undefined;
    const render = (): void => {
      if (rendered.length > 50) throw new Error("renders for ever");
      const shown = document.get();
      const status = board.status.get();
      rendered.push([status.name, shown?.title]);
      off();
      const check = (): void => {
        if (document.get() !== shown || board.status.get() !== status) render();
      };
      const offs = [onChange(document, check), onChange(board.status, check)];
      off = () => offs.forEach((one) => one());
      check();
    };
    render();
    await settle();
    server.patch(title("2"));
    server.cut();
    await pass(5_000);
    server.delete("GONE");
    await pass(5_000);
    expect(rendered).toEqual([
      ["idle", undefined],
      ["pending", undefined],
      ["pending", "First"],
      ["subscribed", "First"],
      ["subscribed", "2"],
      ["pending", "2"],
      ["subscribed", "2"],
      ["refused", undefined],
    ]);
    expect(said()).toEqual(["-", "held"]);
    off();
    await settle();
    expect(board.status.get().name).toBe("idle");
  });

  test("[SC5] a listener that is added in the turn of `leave()` receives the document and later updates", async () => {
    const { server, board, document, heard, off, said } = await followed();
    off();
    board.leave();
    onChange(document, (now) => heard.push(now?.title));
    await settle();
    server.patch(title("2"));
    expect(heard).toEqual(["First", "2"]);
    expect(said()).toEqual(["-", "-"]);
  });

  test("[SC5] with a position that an earlier client stored, `subscribe` does not say `held`", async () => {
    const items = new Map<string, string>();
    const storage = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    };
    const server = boardServer("board:b", FIRST);
    const live = async (): Promise<unknown> => {
      const { client } = testClientOf(boards, server.behaviour, { positions: keepPositions(storage) });
      const document = documentOf(client.channel("board", "b"));
      document.subscribe(() => undefined);
      await pass(1);
      server.move(1);
      await pass(1);
      const last = document.get()?.title;
      client.disconnect();
      await pass(1);
      return last;
    };
    expect(await live()).toBe("First");
    server.patch(title("2"), { isSent: false });
    expect(await live()).toBe("2");
    expect(server.asked.map((wish) => [wish.position?.offset, wish.state])).toEqual([
      [undefined, undefined],
      [1, undefined],
    ]);
  });
});
