package handler

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

// report is an action as the model reads it.
type report struct {
	Token, Action string
	AgeMS         int64
	Code          string
}

func read(body []byte) (many bool, reports []report, p problem) {
	a := newActionScratch(nil)
	many, p = a.parseJSON(body)
	for _, it := range a.items {
		r := report{Token: string(it.token), Action: string(it.action), AgeMS: it.ageMS, Code: it.wrong.code()}
		if it.wrong != noProblem {
			r = report{Code: r.Code}
		}
		reports = append(reports, r)
	}
	return many, reports, p
}

func TestReadActions(t *testing.T) {
	good := report{Token: "t", Action: "click"}
	bad := report{Code: "malformed_action"}
	for _, c := range []struct {
		body string
		want []report
		p    problem
	}{
		{`{"token":"t","action":"click"}`, []report{good}, noProblem},
		{" \t\r\n{ \"action\" : \"click\" , \"token\" : \"t\" } \n", []report{good}, noProblem},
		{`{"token":"t","action":"click","x":{"y":[1,-2.5e+3,true,false,null,"\u00e9",{},[]]},"z":"\n"}`, []report{good}, noProblem},
		{`{"\u0074oken":"\u0074","action":"\u0063lick"}`, []report{good}, noProblem},
		{`{"token":"\"\\\/\b\f\n\r\t","action":"\ud83d\ude00"}`, []report{{Token: "\"\\/\b\f\n\r\t", Action: "😀"}}, noProblem},
		{`{"token":"\ud83d","action":"\ude00\ud83dx"}`, []report{{Token: "\ufffd", Action: "\ufffd\ufffdx"}}, noProblem},
		{`{"token":"","action":""}`, []report{{}}, noProblem},
		{`{"token":"t","age_ms":0,"action":"click"}`, []report{good}, noProblem},
		{`{"token":"t","action":"click","age_ms" : 1234 }`, []report{{Token: "t", Action: "click", AgeMS: 1234}}, noProblem},
		{`{"token":"t","action":"click","age_ms":99999999999999999999999999}`, []report{{Token: "t", Action: "click", AgeMS: 604_800_000}}, noProblem},
		{`[]`, nil, noProblem},
		{`[ ]`, nil, noProblem},
		{`[{"token":"t","action":"click"},{"token":"t"},7,[{}],null,{}]`, []report{good, bad, bad, bad, bad, bad}, noProblem},

		{`{"token":"t","action":"click","token":"u"}`, []report{bad}, malformedAction},
		{`{"token":1,"token":"t","action":"click"}`, []report{bad}, malformedAction},
		{`{"token":"t","action":["click"]}`, []report{bad}, malformedAction},
		{`{"token":"t","action":null}`, []report{bad}, malformedAction},
		{`{"Token":"t","action":"click"}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":-1}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":1.5}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":1e3}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":"5"}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":""}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":null}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":[5]}`, []report{bad}, malformedAction},
		{`{"token":"t","action":"click","age_ms":5,"age_ms":5}`, []report{bad}, malformedAction},
		{`[{"token":"t","action":"click","age_ms":true},{"token":"t","action":"click"}]`, []report{bad, good}, noProblem},
		{`{"token":"t","action":"click","age_ms":05}`, nil, malformedJSON}, {`{"token":"t","action":"click","age_ms":}`, nil, malformedJSON},
		{`{"token":"t","action":"click","age_ms":`, nil, malformedJSON},
		{`{}`, []report{bad}, malformedAction},
		{`null`, []report{bad}, malformedAction},
		{`"click"`, []report{bad}, malformedAction},
		{`0`, []report{bad}, malformedAction},

		{``, nil, malformedJSON}, {` `, nil, malformedJSON}, {`{`, nil, malformedJSON}, {`{"token"`, nil, malformedJSON},
		{`{"token":"t","action":"click"`, nil, malformedJSON}, {`{"token":"t",}`, nil, malformedJSON}, {`{,}`, nil, malformedJSON},
		{`{"token":"t" "action":"click"}`, nil, malformedJSON}, {`{"token":"t","action":"click"}}`, nil, malformedJSON},
		{`{"token":"t","action":"click"}{}`, nil, malformedJSON}, {`{'token':'t'}`, nil, malformedJSON}, {`{"x":01}`, nil, malformedJSON},
		{`{"x":1.}`, nil, malformedJSON}, {`{"x":.1}`, nil, malformedJSON}, {`{"x":1e}`, nil, malformedJSON}, {`{"x":-}`, nil, malformedJSON},
		{`{"x":+1}`, nil, malformedJSON}, {`{"x":tru}`, nil, malformedJSON}, {`{"x":[1,]}`, nil, malformedJSON}, {`{"x":[1}`, nil, malformedJSON},
		{`{"x":{"y":1]}`, nil, malformedJSON}, {`{"x":{"y"}}`, nil, malformedJSON}, {`{"x":{1:2}}`, nil, malformedJSON},
		{"{\"x\":\"\n\"}", nil, malformedJSON}, {`{"x":"\x"}`, nil, malformedJSON}, {`{"x":"\u12"}`, nil, malformedJSON},
		{`{"x":"\u12g4"}`, nil, malformedJSON}, {`{"x":"\`, nil, malformedJSON}, {`{"x":"\u`, nil, malformedJSON}, {"\ufeff{}", nil, malformedJSON},
		{`[`, nil, malformedJSON}, {`[{}`, nil, malformedJSON}, {`[{},]`, nil, malformedJSON}, {`[,]`, nil, malformedJSON}, {`[] []`, nil, malformedJSON},
		{"\x00", nil, malformedJSON}, {"{\x00}", nil, malformedJSON}, {`{} ` + "\x00", nil, malformedJSON},

		{`{"x":` + nested(maxNesting) + `,"token":"t","action":"click"}`, []report{good}, noProblem},
		{`{"x":` + nested(maxNesting+1) + `}`, nil, malformedJSON},
	} {
		many, got, p := read([]byte(c.body))
		if p != c.p {
			t.Errorf("%s: problem %q, want %q", c.body, p.code(), c.p.code())
			continue
		}
		if p == malformedJSON {
			continue
		}
		if many != strings.HasPrefix(c.body, "[") {
			t.Errorf("%s: many = %v", c.body, many)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.body, d)
		}
	}
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestReadTooManyActions(t *testing.T) {
	list := func(n int) []byte {
		return []byte("[" + strings.TrimSuffix(strings.Repeat(`{"token":"t","action":"click"},`, n), ",") + "]")
	}
	if _, got, p := read(list(maxActions)); p != noProblem || len(got) != maxActions {
		t.Errorf("%d actions: %q, %d read", maxActions, p.code(), len(got))
	}
	if _, _, p := read(list(maxActions + 1)); p != tooManyActions {
		t.Errorf("%d actions: %q, want %q", maxActions+1, p.code(), tooManyActions.code())
	}
}

// model reads a body with encoding/json.
func model(body []byte) (reports []report, p problem) {
	if !json.Valid(body) {
		return nil, malformedJSON
	}
	body = bytes.TrimSpace(body)
	if body[0] != '[' {
		r := modelItem(body)
		if r.Code != "" {
			return []report{r}, malformedAction
		}
		return []report{r}, noProblem
	}
	var items []json.RawMessage
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, malformedJSON
	}
	if len(items) > maxActions {
		return nil, tooManyActions
	}
	for _, it := range items {
		reports = append(reports, modelItem(it))
	}
	return reports, noProblem
}

func modelItem(src []byte) (r report) {
	bad := report{Code: malformedAction.code()}
	if src[0] != '{' {
		return bad
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.Token()
	seen := make(map[string]int)
	for d.More() {
		name, _ := d.Token()
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			panic(fmt.Sprintf("valid JSON %q: %v", src, err))
		}
		var field *string
		switch name {
		case "token":
			field = &r.Token
		case "action":
			field = &r.Action
		case "age_ms":
			if seen["age_ms"]++; seen["age_ms"] > 1 || !isDigits(string(raw)) {
				return bad
			}
			r.AgeMS = modelAge(string(raw))
			continue
		default:
			continue
		}
		seen[name.(string)]++
		if raw[0] != '"' {
			return bad
		}
		if err := json.Unmarshal(raw, field); err != nil {
			panic(fmt.Sprintf("string %q: %v", raw, err))
		}
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		panic(err)
	}
	if seen["token"] != 1 || seen["action"] != 1 {
		return bad
	}
	return r
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// modelAge is the age of a whole number.
func modelAge(digits string) int64 {
	ms, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		ms = math.MaxInt64
	}
	return min(ms, popup.TokenLife.Milliseconds())
}

func FuzzReadActions(f *testing.F) {
	f.Add([]byte(`{"token":"t","action":"click"}`))
	f.Add([]byte(`[{"token":"\u0074\ud83d\ude00","action":"click","x":[1,{"y":-0.5e-7}]},7,"\"",null]`))
	f.Add([]byte(`{"token":"t","action":"click","action":1}`))
	f.Add([]byte(`[{"token":"t","action":"view","age_ms":12},{"age_ms":1e3},{"age_ms":-0},{"age_ms":99999999999999999999}]`))
	f.Add([]byte("{\"token\":\"\xff\",\"action\":\"\\ud800\"}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > maxNesting {
			return // may nest deeper than we read
		}
		_, got, p := read(body)
		want, wantProblem := model(body)
		if p == tooManyActions {
			return // found before the rest was read
		}
		if p != wantProblem {
			t.Fatalf("%q: problem %q, encoding/json says %q", body, p.code(), wantProblem.code())
		}
		if p == malformedJSON {
			return
		}
		for i := range got {
			// encoding/json replaces what is not UTF-8.
			got[i].Token = strings.ToValidUTF8(got[i].Token, "\ufffd")
			got[i].Action = strings.ToValidUTF8(got[i].Action, "\ufffd")
		}
		for i := range want {
			want[i].Token = squeeze(want[i].Token)
			want[i].Action = squeeze(want[i].Action)
			got[i].Token, got[i].Action = squeeze(got[i].Token), squeeze(got[i].Action)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%q (-encoding/json +reader):\n%s", body, d)
		}
	})
}

// squeeze makes one replacement character of several, which is what
// strings.ToValidUTF8 makes of several bytes.
func squeeze(s string) string {
	for strings.Contains(s, "\ufffd\ufffd") {
		s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
	}
	return s
}

// TestTextEndsAnywhere ends a string, in each way, after every number of bytes.
func TestTextEndsAnywhere(t *testing.T) {
	for length := range 40 {
		// 0x80 and above have the bit by which special bytes are found.
		for _, filler := range []string{"a", " ", "#", "[", "]", "!", "\x7f", "\x80", "\xa2", "\xdc", "\xff"} {
			text := strings.Repeat(filler, length)
			for end, want := range map[string]string{`"`: text, `\n"`: text + "\n", "": "", "\x00\"": "", "\x1f\"": ""} {
				for _, behind := range []string{"", `,"b":"c\\"}` + "\n"} {
					var r reader
					r.reset([]byte(`"` + text + end + behind))
					got, ok := r.text()
					if wantOK := strings.HasSuffix(end, `"`) && end[0] >= ' '; end == "" && behind != "" {
						continue // the string ends later
					} else if ok != wantOK || string(got) != want || ok && r.pos != 1+len(text)+len(end) {
						t.Errorf("%q: %q, %v, read %d bytes", r.src, got, ok, r.pos)
					}
				}
			}
		}
	}
}
