{{- define "popupd.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "popupd.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "popupd.labels" -}}
{{ include "popupd.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "popupd.secret" -}}
{{ .Values.existingSecret | default (include "popupd.name" .) }}
{{- end }}

{{- /* The spec of an Ingress: the chart, a prefix of paths, and the Service that gets them. */ -}}
{{- define "popupd.ingress" -}}
{{- $chart := index . 0 -}}
ingressClassName: {{ $chart.Values.ingress.className }}
{{- with $chart.Values.ingress.tlsSecret }}
tls:
  - hosts: [{{ $chart.Values.ingress.host }}]
    secretName: {{ . }}
{{- end }}
rules:
  - host: {{ $chart.Values.ingress.host }}
    http:
      paths:
        - path: {{ index . 1 }}
          pathType: ImplementationSpecific # a prefix of characters: /sdk.js, /sdk-HASH.js
          backend:
            service:
              name: {{ index . 2 }}
              port: {name: http}
{{- end }}
