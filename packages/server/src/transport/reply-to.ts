/** The correlation id of an answer: that of its question, where it had one. */
export function replyTo(question: { correlation_id?: string | undefined }): { correlation_id?: string } {
  return question.correlation_id === undefined ? {} : { correlation_id: question.correlation_id };
}
