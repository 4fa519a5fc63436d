const IS_MAC = /^(Mac|iP)/.test(globalThis.navigator?.platform ?? "");

/** Keys as they are called on this computer. @param keys as they are called elsewhere: "Ctrl Shift Enter" */
export function keyNames(keys: string, isMac: boolean = IS_MAC): string {
  if (!isMac) return keys;
  // with the arrows to the sides, ⌥ goes by words there
  return keys.replace("Alt ↑ ↓ ← →", "Alt ↑ ↓").replaceAll("Ctrl", "⌘").replaceAll("Alt", "⌥").replaceAll("Shift", "⇧");
}
