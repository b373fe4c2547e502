// Command probe is a function that does what the event asks for, good or bad, so
// that tests see how the host and the gateway take it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// An order is in the event itself, or in the query of a gateway's event.
type order struct {
	Do                    string `json:"do"`
	N                     string `json:"n"`
	Text                  string `json:"text"`
	Body                  string `json:"body"`
	QueryStringParameters *order `json:"queryStringParameters"`
}

func main() {
	if os.Getenv("PROBE_FAILS_TO_START") != "" {
		os.Exit(7)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, event json.RawMessage) (io.Reader, error) {
	var o order
	if err := json.Unmarshal(event, &o); err != nil {
		return nil, err
	}
	body := o.Body
	if o.QueryStringParameters != nil {
		o = *o.QueryStringParameters
	}
	if o.Do == "" && lambdacontext.FunctionName == "bootstrap" {
		return bootstrap()
	}
	if o.Do == "" && lambdacontext.FunctionName == "validate-api-key" {
		return validate(event, body)
	}
	n, _ := strconv.Atoi(o.N)
	switch o.Do {
	case "answer": // in the form of a gateway's response
		return jsonOf(map[string]any{"statusCode": 200, "body": string(event)})
	case "reply": // the request's body is the response
		return strings.NewReader(body), nil
	case "big":
		return strings.NewReader(strings.Repeat("x", n)), nil
	case "sleep":
		time.Sleep(time.Duration(n) * time.Millisecond)
	case "exit":
		os.Exit(n)
	case "panic":
		panic(o.Text)
	case "error":
		return nil, errors.New(o.Text)
	case "print":
		fmt.Println(o.Text)
	case "partial":
		fmt.Print(o.Text)
		os.Exit(n)
	case "pid":
		return jsonOf(os.Getpid())
	case "environment":
		return jsonOf(os.Environ())
	case "context":
		deadline, _ := ctx.Deadline()
		called, _ := lambdacontext.FromContext(ctx)
		return jsonOf(map[string]any{
			"left": time.Until(deadline).Seconds(), "id": called.AwsRequestID, "arn": called.InvokedFunctionArn,
			"trace": os.Getenv("_X_AMZN_TRACE_ID"),
		})
	}
	return bytes.NewReader(event), nil
}

// bootstrap answers like Latchkey's function, with the full key.
func bootstrap() (io.Reader, error) {
	key, err := fullKey()
	if err != nil {
		return nil, err
	}
	return jsonOf(map[string]string{"namespace": "demo", "full_key": key})
}

// validate answers like Latchkey's function whether a pair is that of the full
// key, or with a status that the environment asks for. Beside the verdict the
// body holds the event.
func validate(event json.RawMessage, body string) (io.Reader, error) {
	var pair struct{ Key, Secret string }
	if err := json.Unmarshal([]byte(body), &pair); err != nil {
		return nil, err
	}
	key, err := fullKey()
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(event, &answer); err != nil {
		return nil, err
	}
	answer["valid"] = pair.Key+"_"+pair.Secret == key
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	status, err := strconv.Atoi(cmp.Or(os.Getenv("PROBE_VALIDATES_WITH_STATUS"), "200"))
	if err != nil {
		return nil, err
	}
	return jsonOf(map[string]any{"statusCode": status, "body": string(text)})
}

// fullKey is what a test left beside the binary.
func fullKey() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	key, err := os.ReadFile(filepath.Join(filepath.Dir(program), "full-key"))
	return string(key), err
}

func jsonOf(value any) (io.Reader, error) {
	text, err := json.Marshal(value)
	return bytes.NewReader(text), err
}
