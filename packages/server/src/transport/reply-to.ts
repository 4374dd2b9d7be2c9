/**
 * Returns the correlation id for an answer: that of the question, or nothing if the question has
 * none.
 */
export function replyTo(question: { correlation_id?: string | undefined }): { correlation_id?: string } {
  return question.correlation_id === undefined ? {} : { correlation_id: question.correlation_id };
}
