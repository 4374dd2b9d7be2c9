/** The document of the `board` channel. */
export interface Board {
  title: string;
  cards: { id: string; text: string }[];
  votes: Record<string, number>;
}

/**
 * Applies one of six kinds of change to a board. `what` is the kind (1 to 6), `at` the relative
 * position in the list (0 to below 1).
 */
export function editBoard(draft: Board, what: number, number: number, at: number): void {
  const place = Math.floor(at * draft.cards.length);
  switch (what) {
    case 1:
      draft.title = `title ${number}`;
      return;
    case 2:
      draft.votes[`v${number % 5}`] = number;
      return;
    case 3:
      delete draft.votes[`v${number % 5}`];
      return;
    case 4:
      draft.cards.splice(place, draft.cards.length > 8 ? 2 : 0, { id: `${number}`, text: `card ${number}` });
      return;
    case 5:
      if (draft.cards[place]) draft.cards[place].text = `text ${number}`;
      return;
    default:
      draft.cards.reverse();
  }
}
