import { isDesktop } from "../../session/desktop-window.ts";

/** What notes are kept in beside the folder, as a person would call it. */
export const PLACE: "app" | "browser" = isDesktop ? "app" : "browser";
