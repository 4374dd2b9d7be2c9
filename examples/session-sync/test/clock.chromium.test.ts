import { randomUUID } from "node:crypto";
import { status } from "@holdfast/example-kit/testing/chromium";
import { expect, test } from "vitest";
import { between } from "./between.js";
import { openPage, phone, picture, press, turnOf, useChromium, wide } from "./page.js";
import { MOST_MS } from "../src/protocol.js";
import { runMain } from "./run-main.js";
import { design, soon, watch } from "./watcher.js";

useChromium();

test("[SX14] when the computer's clock is set, the page asks the server for the time once more", async () => {
  const { port } = await runMain();
  let asked = 0;
  const page = await openPage(port, {
    prepare: between({
      sent(frame) {
        if (frame.includes('"session.about"')) asked++;
        return false;
      },
    }),
  });
  await status(page, "ready");
  await expect.poll(() => asked, soon).toBe(1);
  await page.evaluate(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 3_600_000;
  });
  await expect.poll(() => asked, soon).toBe(2);
});

test("[SX4] per_cycle: the card of a waiting participant shows the time of their next turn, even if their last turn went over time", async () => {
  const { port } = await runMain();
  const sessionId = randomUUID();
  const { client } = await watch(port, sessionId);
  await client.request("session.create", { ...design, syncMode: "per_cycle", timeMs: 1_000 });
  const page = await openPage(port, { query: `?sessionId=${sessionId}` });
  // The clock starts only when the page is open, because the expected time is visible for just one
  // second.
  await client.request("session.resume");
  const ada = page.locator(".card").filter({ hasText: "Ada" });
  await ada.getByText("+0:01", { exact: true }).waitFor();
  await press(page, "Next turn");
  await turnOf(page, "Grace");
  await ada.getByText("0:01", { exact: true }).waitFor();
  expect(await ada.getAttribute("data-over")).toBeNull();
});

test.each([
  ["wide", wide],
  ["phone", phone],
])("[SX26] a remaining time or overtime of one day fits into the ring (%s)", async (name, look) => {
  const { port } = await runMain();
  const sessionId = randomUUID();
  const { client } = await watch(port, sessionId);
  await client.request("session.create", { ...design, timeMs: MOST_MS });
  const page = await openPage(port, { query: `?sessionId=${sessionId}`, look });
  const time = page.locator(".stage .time").filter({ hasText: "24:00:00" });
  await time.waitFor();
  await picture(page, `day-${name}`);
  for (const text of ["24:00:00", "+24:00:00"]) {
    // The distances of the farthest corner and of the inner edge from the middle of the ring.
    const { corner, edge } = await time.evaluate((element, shown) => {
      // The clock stands, so the page does not overwrite this text.
      element.textContent = shown;
      const [box, ring] = [element.getBoundingClientRect(), document.querySelector(".ring-track")!];
      const { x, y, width, height } = ring.getBoundingClientRect();
      const [across, down] = [x + width / 2, y + height / 2];
      const far = (...moments: number[]): number => Math.max(...moments.map(Math.abs));
      const stroke = (width / 176) * 4.5;
      return {
        corner: Math.hypot(far(box.left - across, box.right - across), far(box.top - down, box.bottom - down)),
        edge: width / 2 - stroke,
      };
    }, text);
    expect([text, corner < edge, corner, edge]).toEqual([text, true, corner, edge]);
  }
});
