import type { FoldspaceError, Problem } from "../errors.ts";
import { Observable } from "../observable.ts";
import { differences, setOrDelete } from "../secrets/secret-map.ts";
import type { Protection } from "../secrets/vault-contents.ts";
import type { SecretsModel } from "./secrets-model.ts";

/** The secrets as last reported to listeners, to report later changes. */
export class ShownSecrets {
  /** Names of secrets that have another value, wherever they were changed; may be empty if only the protection changed. */
  readonly changed: Observable<readonly string[]> = new Observable<readonly string[]>([]);
  readonly problems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  readonly #model: SecretsModel;
  #values = new Map<string, string>();
  #protection: Protection = "none";

  constructor(model: SecretsModel) {
    this.#model = model;
  }

  /**
   * Reports changes since the last call.
   * @param failures of reading, saving and remembering
   * @param only the name of the one secret that may have changed; any secret by default
   */
  publish(failures: readonly FoldspaceError[], only?: string): void {
    const { protection } = this.#model.vault;
    const names = only === undefined ? this.#updateAll() : this.#updateOne(only);
    const hasChanged = names.length > 0 || protection !== this.#protection;
    this.#protection = protection;
    const problems = [...this.#model.problems, ...failures.map(failureProblem)];
    if (JSON.stringify(problems) !== JSON.stringify(this.problems.value)) this.problems.value = problems;
    if (hasChanged) this.changed.value = names;
  }

  /** @returns names of secrets whose value differs from the last reported one */
  #updateAll(): string[] {
    const { values } = this.#model;
    const names = [...differences(this.#values, values).keys()];
    this.#values = new Map(values);
    return names;
  }

  /** As {@link #updateAll}, for one secret. */
  #updateOne(name: string): string[] {
    const value = this.#model.get(name);
    if (value === this.#values.get(name)) return [];
    setOrDelete(this.#values, name, value);
    return [name];
  }
}

function failureProblem({ code, message }: FoldspaceError): Problem {
  return { code, reason: `the secrets could not be read, saved or remembered: ${message}` };
}
