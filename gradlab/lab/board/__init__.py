"""The lab's pictures: panels as plain data, and the board that draws them in the browser."""
