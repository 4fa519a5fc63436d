/** The first match counts, because browsers also name those that they are compatible with. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFxiOS\/|\bFirefox\//, "Firefox"],
  [/\bCriOS\/|Chrome\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "Mac"],
  [/\bLinux\b/, "Linux"],
];

/** The name of a device until its user renames it: "Firefox on Linux". */
export function describePlatform(userAgent: string, isDesktopApp: boolean): string {
  const find = (names: readonly [RegExp, string][]): string | undefined => names.find(([sign]) => sign.test(userAgent))?.[1];
  const program = isDesktopApp ? "foldspace" : (find(BROWSERS) ?? "A browser");
  const system = find(SYSTEMS);
  return system === undefined ? program : `${program} on ${system}`;
}
