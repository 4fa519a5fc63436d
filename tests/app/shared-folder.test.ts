import { describe } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { openPageTwice } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";
import { testTwoDevices } from "./two-devices.ts";

describe.skipIf(!findChromium())("two devices on one folder (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  testTwoDevices(async (lines) => await openPageTwice(rig, lines));
});
