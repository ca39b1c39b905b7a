/** Results that are committed: JSON with one line for each record, so that a change of one shows as one in a review. */
export function formatRecords(result: object): string {
  const fields = Object.entries(result).map(([name, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((one) => `    ${JSON.stringify(one)}`).join(",\n")}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${fields.join(",\n")}\n}\n`;
}
