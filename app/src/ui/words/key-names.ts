const IS_MAC = /^(Mac|iP)/.test(globalThis.navigator?.platform ?? "");

/** Names of keys on this computer. @param keys their names elsewhere: "Ctrl Shift Enter" */
export function keyNames(keys: string, isMac: boolean = IS_MAC): string {
  if (!isMac) return keys;
  // on macOS, ⌥ with the left and right arrows moves by words
  return keys.replace("Alt ↑ ↓ ← →", "Alt ↑ ↓").replaceAll("Ctrl", "⌘").replaceAll("Alt", "⌥").replaceAll("Shift", "⇧");
}
