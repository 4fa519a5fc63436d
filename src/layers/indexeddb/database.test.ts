// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId } from "../../tree/index.ts";
import { DatabaseConnection, type Database } from "./database.ts";

/** A task on a connection that is closed under it so many times, as a browser does while it clears a site's data. */
function closedUnder(times: number): { readonly opened: Database[]; run(database: Database): Promise<number> } {
  const opened: Database[] = [];
  return {
    opened,
    async run(database) {
      if (!opened.includes(database)) opened.push(database);
      if (opened.length <= times) database.close();
      return await database.count("batches");
    },
  };
}

test("a task whose connection is closed under it runs on a new one, at once", async () => {
  const connection = new DatabaseConnection(newId(), { clock: new ManualClock() });
  const task = closedUnder(1);
  expect(await connection.run((database) => task.run(database))).toBe(0);
  expect(task.opened).toHaveLength(2);
  connection.close();
});

test("connections that are closed again and again are opened anew for a second, and then that is an error", async () => {
  const clock = new ManualClock();
  const connection = new DatabaseConnection(newId(), { clock });
  const outcome = async (times: number): Promise<unknown> => {
    const task = closedUnder(times);
    const running = connection.run((database) => task.run(database)).catch((error: unknown) => error);
    for (let waited = 0; waited < 2_000; waited += 10) await clock.advance(10);
    return { result: await running, opened: task.opened.length };
  };
  expect(await outcome(4)).toEqual({ result: 0, opened: 5 });
  expect(await outcome(9)).toMatchObject({ result: { code: "FOLD_UNAVAILABLE" }, opened: 5 });
  expect(await outcome(0)).toEqual({ result: 0, opened: 1 });
  connection.close();
});
