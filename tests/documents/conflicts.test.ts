import { describe, expect, test } from "vitest";
import { BIN_ID, ReplicatedTree, type Vertex } from "../../src/tree/index.ts";

/** What docs/conflicts.md says of edits that two devices make without having seen each other's. */
describe("which edit wins", () => {
  interface Devices {
    readonly laptop: ReplicatedTree;
    readonly phone: ReplicatedTree;
    /** The phone's handle of a vertex. */
    readonly there: (vertex: Vertex) => Vertex;
    /** Exchanges the edits, and checks that both have the same tree. */
    readonly meet: () => void;
  }

  /** Two devices with the vertices A and B below the root. */
  function devices(): Devices & { readonly a: Vertex; readonly b: Vertex } {
    const laptop = new ReplicatedTree("laptop");
    const root = laptop.createRoot();
    const [a, b] = [laptop.newNamedVertex(root.id, "A"), laptop.newNamedVertex(root.id, "B")];
    const phone = new ReplicatedTree("phone", laptop.popLocalOps());
    const meet = (): void => {
      const [ours, theirs] = [laptop.popLocalOps(), phone.popLocalOps()];
      laptop.merge(theirs);
      phone.merge(ours);
      expect(phone.compareStructure(laptop)).toBe(true);
    };
    return { laptop, phone, there: (vertex) => phone.getVertex(vertex.id)!, meet, a, b };
  }

  test("of values for one property the one with the higher id, and different properties stay both", () => {
    const { there, meet, a } = devices();
    a.setProperty("amount", 1);
    a.setProperty("shop", "Corner");
    there(a).setProperty("amount", 2);
    there(a).setProperty("color", "red");
    meet();
    expect(a.getProperties()).toMatchObject({ amount: 2, shop: "Corner", color: "red" });
  });

  test("an edit that has seen another one wins over it, whatever the names of the peers", () => {
    const { there, meet, a } = devices();
    there(a).setProperty("amount", 2);
    meet();
    a.setProperty("amount", 1);
    meet();
    expect(there(a).getProperty("amount")).toBe(1);
  });

  test("of moves into each other, the one that would close a circle has no effect", () => {
    const { there, meet, a, b } = devices();
    a.moveTo(b);
    there(b).moveTo(there(a));
    meet();
    expect([a.parent?.name, b.parent?.name].filter((name) => name === "A" || name === "B")).toHaveLength(1);
  });

  test("a deleted vertex keeps edits and children that it gets at the same time, and moving it back brings them", () => {
    const { laptop, there, meet, a, b } = devices();
    a.delete();
    there(a).setProperty("amount", 2);
    there(b).moveTo(there(a));
    meet();
    expect([a.parent?.id, b.parent?.id]).toEqual([BIN_ID, a.id]);
    a.moveTo(laptop.root!);
    meet();
    expect([a.getProperty("amount"), there(b).parent?.parent?.id]).toEqual([2, laptop.root!.id]);
  });

  test("of a deletion and a move, the one with the higher id", () => {
    const { laptop, there, meet, a, b } = devices();
    a.delete();
    there(a).moveTo(there(b));
    meet();
    expect(a.parent?.id).toBe(b.id);
    a.moveTo(laptop.root!);
    there(a).delete();
    meet();
    expect(a.parent?.id).toBe(BIN_ID);
  });

  test("children with one name are two vertices, and vertices with one id are one", () => {
    const { laptop, phone, meet } = devices();
    laptop.root!.newNamedChild("Milk");
    phone.root!.newNamedChild("Milk");
    laptop.getOrCreate("settings", laptop.root!, { theme: "dark" });
    phone.getOrCreate("settings", phone.root!, { size: 12 });
    meet();
    expect(laptop.root!.children.filter(({ name }) => name === "Milk")).toHaveLength(2);
    expect(laptop.getVertex("settings")!.getProperties()).toMatchObject({ theme: "dark", size: 12 });
  });
});
