import type { Page } from "playwright-core";

/**
 * What is said to the server and by it goes through these; that of which they return true does not
 * arrive.
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

/** The line is cut when this request is sent, which is lost with it; as long as `isOn` says so. */
export const cutAt = (line: { cut(): void }, request: string, isOn: () => boolean): ((page: Page) => Promise<void>) =>
  between({
    sent(frame) {
      const loses = isOn() && frame.includes(`"${request}"`);
      if (loses) line.cut();
      return loses;
    },
  });
