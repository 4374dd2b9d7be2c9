/** Stops the timer or the subscription that the call started. A second call does nothing. */
export type Cancel = () => void;
