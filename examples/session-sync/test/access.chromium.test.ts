import { randomUUID } from "node:crypto";
import { status } from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import { expect, test, vi } from "vitest";
import { between, cutAt } from "./between.js";
import { anotherPress, focused, light, openPage, press, setUp, turnOf, useChromium, wide } from "./page.js";
import { runMain } from "./run-main.js";
import { design, soon, watch } from "./watcher.js";

useChromium();

test("[SX20] the page never shows the setup form for a session that exists, even if its document is lost with the connection and arrives late", async () => {
  const { port } = await runMain();
  const line = await network(port);
  const sessionId = randomUUID();
  const { client } = await watch(port, sessionId);
  await client.request("session.create", design);
  const held: (() => void)[] = [];
  let isCut = false;
  const page = await openPage(line.port, {
    query: `?sessionId=${sessionId}`,
    async prepare(fresh) {
      await between({
        received(frame, deliver) {
          if (!frame.includes('"state_sync"')) return false;
          if (isCut) return held.push(deliver) > 0;
          // The first document is lost with the connection, so the page does not know yet whether
          // the session exists.
          line.cut();
          return (isCut = true);
        },
      })(fresh);
      // Record every state that the page ever shows, because the test could miss a short one.
      await fresh.addInitScript(() => {
        const shown: string[] = [];
        Object.assign(window, { shown });
        new MutationObserver(() => {
          const { known } = document.body?.dataset ?? {};
          if (known !== undefined && shown.at(-1) !== known) shown.push(known);
        }).observe(document, { subtree: true, attributeFilter: ["data-known"] });
      });
    },
  });
  const shown = () => page.evaluate(() => (window as unknown as { shown: string[] }).shown);
  await status(page, "waiting");
  expect(isCut).toBe(true);
  line.restore();
  await status(page, "ready");
  await vi.waitFor(() => expect(held.length).toBeGreaterThan(0), soon);
  held.at(-1)!();
  await page.getByRole("heading", { name: design.title }).waitFor();
  expect(await shown()).toEqual(["loading", "there"]);
});

test("[SX20] the page shows Loading until the server has answered SESSION_NOT_FOUND, and then the form", async () => {
  const { port } = await runMain();
  const held: (() => void)[] = [];
  const page = await openPage(port, {
    prepare: between({ received: (frame, deliver) => frame.includes("SESSION_NOT_FOUND") && held.push(deliver) > 0 }),
  });
  await vi.waitFor(() => expect(held.length).toBeGreaterThan(0), soon);
  await page.getByRole("heading", { name: "Loading" }).waitFor();
  expect(await page.locator("#setup").isVisible()).toBe(false);
  for (const deliver of held) deliver();
  await page.getByRole("heading", { name: "A new session" }).waitFor();
});

test("[SX21] deleting takes two presses, and a double-click or a held key counts as one press", async () => {
  const { port } = await runMain();
  const page = await openPage(port);
  await setUp(page, "Design review");
  const remove = page.locator(".facts button");
  const isThere = async () => {
    // The server handles requests in order, so this change proves that no deletion was sent before.
    await press(page, (await page.getByRole("button", { name: "Pause" }).isVisible()) ? "Pause" : "Start");
    await page.locator('[data-fact="version"]').getByText(String(++version), { exact: true }).waitFor();
  };
  let version = 1;
  await remove.dblclick();
  expect(await remove.innerText()).toBe("Delete for everyone?");
  await isThere();
  // The question is cancelled when the button loses the focus.
  expect(await remove.innerText()).toBe("Delete the session");

  await remove.focus();
  await page.keyboard.down("Enter");
  await anotherPress(page);
  for (let times = 0; times < 3; times++) await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
  expect(await remove.innerText()).toBe("Delete for everyone?");
  await isThere();

  await remove.click();
  await anotherPress(page);
  await remove.click();
  await page.getByRole("heading", { name: "This session was deleted" }).waitFor();
});

test("[SX22] if the focused element disappears, the heading in its place gets the focus, and a deletion is announced", async () => {
  const { port } = await runMain();
  const page = await openPage(port);
  await setUp(page, "Design review");
  await expect.poll(() => focused(page)).toBe("H2 Design review");
  await press(page, "Start");
  await press(page, "Give turn to Grace");
  await turnOf(page, "Grace");
  await expect.poll(() => focused(page)).toBe("H2 Design review");
  const notice = page.locator("#notice");
  // Screen readers ignore a hidden element, so the element must be visible before the text is set.
  expect(await notice.evaluate((element) => [element.role, getComputedStyle(element).display])).toEqual([
    "status",
    "block",
  ]);
  await press(page, "Delete the session");
  await anotherPress(page);
  await press(page, "Delete for everyone?");
  await page.getByRole("status").getByRole("heading", { name: "This session was deleted" }).waitFor();
  await expect.poll(() => focused(page)).toBe("H2 This session was deleted");
});

test.each([light, wide])(
  "[SX22] the text of the badge has a contrast of at least 4.5 to 1 ($colorScheme)",
  async (look) => {
    const { port } = await runMain();
    const page = await openPage(port, { look });
    await setUp(page, "Design review");
    for (const tone of ["off", "good", "busy"]) {
      const contrast = await page.locator(".badge").evaluate((badge, wanted) => {
        badge.setAttribute("data-tone", wanted);
        const pen = new OffscreenCanvas(1, 1).getContext("2d")!;
        // Paint the colours over each other, as Chromium does: the panel, the badge and its text.
        const luminance = (...colours: string[]): number => {
          for (pen.fillStyle of colours) pen.fillRect(0, 0, 1, 1);
          const [red = 0, green = 0, blue = 0] = [...pen.getImageData(0, 0, 1, 1).data].map((value) =>
            value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
          );
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const panel = getComputedStyle(badge.closest(".panel")!).backgroundColor;
        const { color, backgroundColor } = getComputedStyle(badge);
        const [one, other] = [luminance(panel, backgroundColor), luminance(panel, backgroundColor, color)];
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      }, tone);
      expect([tone, contrast >= 4.5, contrast]).toEqual([tone, true, contrast]);
    }
  },
);

test("[SX23] a name of spaces is a fault of the field, and no request is sent", async () => {
  const { port } = await runMain();
  const page = await openPage(port);
  const fault = (label: string) =>
    page.getByLabel(label).evaluate((field) => (field as HTMLInputElement).validationMessage);
  const title = page.getByLabel("Title");
  const names = page.getByLabel("Participants, one per line");
  await title.fill("   ");
  await names.fill(" \n  ");
  await press(page, "Set up the session");
  expect([await fault("Title"), await fault("Participants, one per line")]).toEqual([
    "Enter a title.",
    "Enter at least one name.",
  ]);
  await names.fill(Array.from({ length: 13 }, (_, index) => `P${index}`).join("\n"));
  expect(await fault("Participants, one per line")).toBe("At most 12.");
  await names.fill(`Ada\n${"x".repeat(39)}🦉🦉`);
  expect(await fault("Participants, one per line")).toBe(`Too long by 1: ${"x".repeat(39)}🦉🦉`);
  await setUp(page, "Design review");
  await page.getByLabel("Name of another participant").fill("  ");
  await press(page, "Add");
  expect(await fault("Name of another participant")).toBe("Enter a name.");
  expect(await page.locator(".toast").count()).toBe(0);
});

test("[SX23] if adding a name fails, the field keeps the name for another attempt", async () => {
  const { port } = await runMain();
  const line = await network(port);
  let isLost = true;
  const page = await openPage(line.port, {
    prepare: cutAt(line, "participant.add", () => isLost),
  });
  await setUp(page, "Design review");
  const name = page.getByLabel("Name of another participant");
  await name.fill("Barbara");
  await press(page, "Add");
  await status(page, "waiting");
  expect(await name.inputValue()).toBe("Barbara");
  isLost = false;
  line.restore();
  await status(page, "ready");
  await press(page, "Add");
  await page.getByRole("heading", { name: "Barbara" }).waitFor();
  await expect.poll(() => name.inputValue()).toBe("");
});
