// Loaded into the command by --import: says at its end how much memory it ever had, as the system counted it.
import { writeFileSync } from "node:fs";

process.on("exit", () => writeFileSync(process.env.FOLDSPACE_PEAK_FILE, String(process.resourceUsage().maxRSS)));
