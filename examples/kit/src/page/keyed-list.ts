export interface Row<Item> {
  readonly element: HTMLElement;
  show(item: Item): void;
}

/**
 * Keeps one element per item as long as the item is listed, so that focus, selection and scrolling
 * survive every update. An element moves only if its position has changed, because an element that
 * moves loses the focus.
 */
export function keyedList<Item extends { readonly id: string }>(
  list: HTMLElement,
  make: (item: Item) => Row<Item>,
): (items: readonly Item[]) => void {
  const rows = new Map<string, Row<Item>>();
  return (items) => {
    const wanted = new Set(items.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (wanted.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    for (const [index, item] of items.entries()) {
      const row = rows.get(item.id) ?? make(item);
      rows.set(item.id, row);
      row.show(item);
      const there = list.children[index] ?? null;
      if (there !== row.element) list.insertBefore(row.element, there);
    }
  };
}
