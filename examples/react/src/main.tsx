import { SpaceManager, type Vertex } from "foldspace";
import { IndexedDBPersistenceLayer } from "foldspace/indexeddb";
import { useChildren, useSpace, useVertex } from "foldspace/react";
import { createRoot } from "react-dom/client";

const manager = new SpaceManager();
const options = { id: "groceries", name: "Groceries", layers: () => [new IndexedDBPersistenceLayer("groceries")] };

function App() {
  const { space, error } = useSpace(manager, options);
  if (error) return <p>The list cannot be opened: {String(error)}</p>;
  return space ? <List parent={space.tree.root!} /> : <p>Opening …</p>;
}

function List({ parent }: { parent: Vertex }) {
  const items = useChildren(parent).filter((child) => child.getProperty("text") !== undefined);
  return (
    <>
      <ul>
        {items.map((item) => (
          <Item key={item.id} item={item} />
        ))}
      </ul>
      <button onClick={() => parent.newChild({ text: "" })}>Add</button>
    </>
  );
}

function Item({ item }: { item: Vertex }) {
  const { text } = useVertex(item).properties;
  return (
    <li>
      <input aria-label="Item" value={String(text)} onChange={(event) => item.setProperty("text", event.target.value)} />
      <button onClick={() => item.delete()}>Delete</button>
    </li>
  );
}

createRoot(document.getElementById("app")!).render(<App />);
