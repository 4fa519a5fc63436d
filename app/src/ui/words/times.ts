export type HourCycle = "h12" | "h23";

/** The format of times of the day: the default of the system's language, or the user's choice. */
let hourCycle: () => HourCycle = () => hourCycleOf();

/** The format of a language for times of the day. @param locale by default that of the system */
export function hourCycleOf(locale?: string): HourCycle {
  const { hourCycle: found } = new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions();
  return found === "h11" || found === "h12" ? "h12" : "h23";
}

export function chooseHourCycle(chosen: () => HourCycle): void {
  hourCycle = chosen;
}

/** Made on first use, because it takes longer than all other code at the start of the page. */
let relative: Intl.RelativeTimeFormat | undefined;
const DAY_MS = 86_400_000;

/** A time in words: "just now", "5 minutes ago", "yesterday", or its date. */
export function ago(timeMs: number, nowMs: number): string {
  relative ??= new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const seconds = Math.round((nowMs - timeMs) / 1_000);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} seconds ago`;
  if (seconds < 3_600) return relative.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return relative.format(-Math.floor(seconds / 3_600), "hour");
  if (nowMs - timeMs < 7 * DAY_MS) return relative.format(-Math.floor(seconds / 86_400), "day");
  return date(timeMs);
}

function date(timeMs: number): string {
  return new Date(timeMs).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

export function dateAndTime(timeMs: number): string {
  return new Date(timeMs).toLocaleString("en", { dateStyle: "medium", timeStyle: "short", hourCycle: hourCycle() });
}

export function clockTime(timeMs: number): string {
  return new Date(timeMs).toLocaleTimeString("en", { timeStyle: "medium", hourCycle: hourCycle() });
}

/** A number of bytes: "512 B", "3.4 kB", "1.2 MB". */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
