//go:build linux

package e2e

import (
	"bytes"
	"strconv"
	"strings"
)

// scan returns the length of the command that b begins with and its first word,
// in capitals; a length of 0 if b does not hold all of it yet.
type scan func(b []byte) (size int, name string)

// scanMySQL reads packets: 3 bytes of length, a sequence number, the payload. A
// command's packet has the number 0; 3 is COM_QUERY, followed by the statement.
// https://mariadb.com/kb/en/0-packet/
func scanMySQL(b []byte) (size int, name string) {
	const head, comQuery = 4, 3
	if len(b) < head {
		return 0, ""
	}
	size = head + (int(b[0]) | int(b[1])<<8 | int(b[2])<<16)
	if len(b) < size {
		return 0, ""
	}
	if b[3] == 0 && size > head && b[head] == comQuery {
		name = firstWord(b[head+1 : size])
	}
	return size, name
}

// scanRedis reads arrays of bulk strings, which is what clients send.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
func scanRedis(b []byte) (size int, name string) {
	n, size := redisLength(b, '*')
	for i := range n {
		length, head := redisLength(b[size:], '$')
		end := size + head + length + 2
		if head == 0 || len(b) < end {
			return 0, ""
		}
		if i == 0 {
			name = firstWord(b[size+head : end-2])
		}
		size = end
	}
	return size, name
}

// redisLength reads a line of a type and a number; head is the line's length, 0
// if it is not all there.
func redisLength(b []byte, typ byte) (n, head int) {
	line, _, whole := bytes.Cut(b, []byte("\r\n"))
	if !whole || len(line) == 0 || line[0] != typ {
		return 0, 0
	}
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil {
		return 0, 0
	}
	return n, len(line) + 2
}

func firstWord(b []byte) string {
	word, _, _ := bytes.Cut(b[:min(len(b), 32)], []byte(" "))
	return strings.ToUpper(string(word))
}
