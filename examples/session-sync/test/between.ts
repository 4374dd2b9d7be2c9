import type { Page } from "playwright-core";

/**
 * Functions that see every frame between a page and the server. If a function returns true, the
 * frame is dropped. Call `deliver` to deliver a dropped frame later.
 */
interface Between {
  sent?: (frame: string) => boolean;
  received?: (frame: string, deliver: () => void) => boolean;
}
export const between =
  ({ sent, received }: Between) =>
  (page: Page): Promise<void> =>
    page.routeWebSocket(/\/ws/, (near) => {
      const far = near.connectToServer();
      near.onMessage((frame) => {
        if (!sent?.(String(frame))) far.send(frame);
      });
      far.onMessage((frame) => {
        const deliver = () => near.send(frame);
        if (!received?.(String(frame), deliver)) deliver();
      });
    });

/** While `isOn` returns true, drops this request and cuts the connection when the page sends it. */
export const cutAt = (line: { cut(): void }, request: string, isOn: () => boolean): ((page: Page) => Promise<void>) =>
  between({
    sent(frame) {
      const loses = isOn() && frame.includes(`"${request}"`);
      if (loses) line.cut();
      return loses;
    },
  });
