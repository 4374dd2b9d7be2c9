/** Ends what the call has started: a timer, a subscription. A second call does nothing. */
export type Cancel = () => void;
