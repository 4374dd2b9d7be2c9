import type { DeviceKind } from "../protocol.js";

/** The order matters: Edge and Opera also contain "Chrome", and Chrome also contains "Safari". */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Chrome|Chromium|HeadlessChrome|CriOS)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
/** The order matters: Android also contains "Linux", and the iPhone also contains "Mac OS X". */
const systems: readonly (readonly [RegExp, string, DeviceKind])[] = [
  [/\biPhone\b/, "iPhone", "phone"],
  [/\biPad\b/, "iPad", "tablet"],
  [/\bAndroid\b.*\bMobile\b/, "Android", "phone"],
  [/\bAndroid\b/, "Android", "tablet"],
  [/\bWindows\b/, "Windows", "computer"],
  [/\bMac OS X\b/, "Mac", "computer"],
  [/\bCrOS\b/, "ChromeOS", "computer"],
  [/\bLinux\b/, "Linux", "computer"],
];

/**
 * Returns the kind of this device and its default name, such as "Chrome on Linux". All tabs of a
 * browser have the same default name.
 */
export function describeDevice(userAgent: string): { name: string; kind: DeviceKind } {
  const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1] ?? "A browser";
  const system = systems.find(([pattern]) => pattern.test(userAgent));
  return { name: system ? `${browser} on ${system[1]}` : browser, kind: system?.[2] ?? "computer" };
}

/**
 * Returns the name, followed by a number if an earlier device has the same name: "Chrome on Linux
 * 2". Several tabs that open at once may all be listed with the same name. Therefore this function
 * numbers the earlier devices by the same rule, and every tab computes the same numbers.
 */
export function distinctName(name: string, earlier: readonly string[]): string {
  const taken = new Set<string>();
  for (const other of earlier) taken.add(firstFree(other, taken));
  return firstFree(name, taken);
}

function firstFree(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name} ${number}`;
  return free;
}
