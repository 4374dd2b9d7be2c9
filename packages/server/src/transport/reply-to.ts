/**
 * Returns the question's `correlation_id` as a property for the answer, or an empty object if the
 * question has no id.
 */
export function replyTo(question: { correlation_id?: string | undefined }): { correlation_id?: string } {
  return question.correlation_id === undefined ? {} : { correlation_id: question.correlation_id };
}
