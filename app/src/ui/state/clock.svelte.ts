import { recall, remember } from "../../session/browser-settings.ts";
import { chooseHourCycle, hourCycleOf } from "../words/times.ts";

export type ClockChoice = "system" | "12" | "24";

/** The format of times of the day. */
class Clock {
  choice: ClockChoice = $state(asChoice(recall("clock")));

  set(choice: ClockChoice): void {
    this.choice = choice;
    remember("clock", choice === "system" ? undefined : choice);
  }
}

function asChoice(text: string | undefined): ClockChoice {
  return text === "12" || text === "24" ? text : "system";
}

export const clock: Clock = new Clock();

chooseHourCycle(() => (clock.choice === "system" ? hourCycleOf() : clock.choice === "12" ? "h12" : "h23"));
