import { recall, remember } from "../../session/browser-settings.ts";

export type ThemeChoice = "system" | "light" | "dark";

class Theme {
  choice: ThemeChoice = $state(asChoice(recall("theme")));

  set(choice: ThemeChoice): void {
    this.choice = choice;
    remember("theme", choice === "system" ? undefined : choice);
    if (choice === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = choice;
  }
}

function asChoice(text: string | undefined): ThemeChoice {
  return text === "light" || text === "dark" ? text : "system";
}

export const theme: Theme = new Theme();
