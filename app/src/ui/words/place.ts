import { isDesktop } from "../../session/desktop-window.ts";

/** The name for users of the place of the notes beside the folder. */
export const PLACE: "app" | "browser" = isDesktop ? "app" : "browser";
