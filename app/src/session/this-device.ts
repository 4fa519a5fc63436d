import { newId } from "foldspace";
import type { Device } from "../model/devices.ts";
import { isStorageAllowed, recall, remember } from "./browser-settings.ts";
import { describePlatform } from "./platform-name.ts";

/**
 * This browser, as other devices see it. If it must not store anything, as on a shared computer, all browsers of its kind
 * count as one device.
 */
export function thisDevice(): Device {
  const { userAgent } = navigator;
  const name = describePlatform(userAgent, "isTauri" in globalThis);
  if (!isStorageAllowed()) return { id: `shared ${name}`, name: `${name}, shared` };
  let id = recall("device");
  if (id === undefined) remember("device", (id = newId()));
  return { id, name };
}
