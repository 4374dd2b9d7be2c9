import { expect, test } from "vitest";
import { describeDevice, distinctName } from "./device-name.js";

const mozilla = "Mozilla/5.0";
const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";

test.each([
  [`${mozilla} (X11; Linux x86_64) ${webkit} Chrome/141.0.0.0 Safari/537.36`, "Chrome on Linux", "computer"],
  [`${mozilla} (X11; Linux x86_64) ${webkit} HeadlessChrome/141.0.0.0 Safari/537.36`, "Chrome on Linux", "computer"],
  [
    `${mozilla} (Windows NT 10.0; Win64; x64) ${webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0`,
    "Edge on Windows",
    "computer",
  ],
  [`${mozilla} (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0`, "Firefox on Windows", "computer"],
  [
    `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15`,
    "Safari on Mac",
    "computer",
  ],
  [
    `${mozilla} (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1`,
    "Safari on iPhone",
    "phone",
  ],
  [
    `${mozilla} (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 CriOS/141.0 Mobile/15E148 Safari/604.1`,
    "Chrome on iPad",
    "tablet",
  ],
  [`${mozilla} (Linux; Android 10; K) ${webkit} Chrome/141.0.0.0 Mobile Safari/537.36`, "Chrome on Android", "phone"],
  [`${mozilla} (Linux; Android 10; K) ${webkit} Chrome/141.0.0.0 Safari/537.36`, "Chrome on Android", "tablet"],
  ["curl/8.5.0", "A browser", "computer"],
  ["", "A browser", "computer"],
])("[DX6] describeDevice: %s is called %s", (userAgent, name, kind) => {
  expect(describeDevice(userAgent)).toEqual({ name, kind });
});

test.each([
  [[], "Chrome on Linux"],
  [["Chrome on Linux"], "Chrome on Linux 2"],
  [["Chrome on Linux", "Chrome on Linux 3"], "Chrome on Linux 2"],
  [["Chrome on Linux 2", "Desk"], "Chrome on Linux"],
  [["Chrome on Linux", "Chrome on Linux", "Chrome on Linux"], "Chrome on Linux 4"],
])("[DX6] distinctName: behind devices named %j, a new device is called %s", (earlier, name) => {
  expect(distinctName("Chrome on Linux", earlier)).toBe(name);
});
