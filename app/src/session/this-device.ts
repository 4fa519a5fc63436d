import { newId } from "foldspace";
import type { Device } from "../model/devices.ts";
import { isStorageAllowed, recall, remember } from "./browser-settings.ts";
import { describePlatform } from "./platform-name.ts";

/**
 * This browser, as others are told of it. Where it may remember nothing, as on a computer that others use too, all browsers
 * of its kind are one device.
 */
export function thisDevice(): Device {
  const { userAgent } = navigator;
  const name = describePlatform(userAgent, "isTauri" in globalThis);
  if (!isStorageAllowed()) return { id: `shared ${name}`, name: `${name}, shared` };
  let id = recall("device");
  if (id === undefined) remember("device", (id = newId()));
  return { id, name };
}
