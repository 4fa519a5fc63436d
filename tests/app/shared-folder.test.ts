import { describe } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";
import { testTwoDevices } from "./two-devices.ts";

describe.skipIf(!findChromium())("two devices on one folder (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  testTwoDevices(async (lines) => {
    const { url } = await ServedFolder.serve();
    const a = await rig.openApp(url);
    await a.newPage("Page", lines);
    const b = await rig.openApp(url);
    await b.shows(lines);
    return [a, b];
  });
});
